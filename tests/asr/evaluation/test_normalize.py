import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.evaluation import normalize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello,  WORLD!", "hello world"),
        ("well-known\tfact\n", "well known fact"),
        ("Don\u2019t stop", "don't stop"),
        ("o`clock it\u00b4s", "o'clock it's"),
        ("'quoted' and \u2018curly\u2019", "quoted and curly"),
        ("the boys' dog", "the boys dog"),
        ("rock'n'roll", "rock'n'roll"),
        ("' '' '", ""),
        ("", ""),
        ("I", "i"),
        ("20 men", "20 men"),
        ("na\u00efve na\u0069\u0308ve", "na\u00efve na\u00efve"),  # composed and decomposed
        ("\uff21\uff42\uff07\uff43", "ab'c"),  # full width
        ("snake_case", "snake case"),
        (
            "\u0939\u093f\u0928\u094d\u0926\u0940",
            "\u0939\u093f\u0928\u094d\u0926\u0940",
        ),  # marks stay
    ],
)
def test_the_rule(text: str, words: str) -> None:
    assert normalize(text) == words


@given(st.text())
def test_twice_is_once(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.text(alphabet="ab'\u2019 ,A1"))
def test_only_words_and_single_spaces_remain(text: str) -> None:
    words = normalize(text)
    assert set(words) <= set("ab' 1")
    assert words == " ".join(words.split())
    assert not any(word.startswith("'") or word.endswith("'") for word in words.split())
