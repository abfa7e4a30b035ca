"""What somebody sent stays short and on one line."""

import pytest

from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions, EngineConfig
from auricle_types.quoting import printable, quoted, shortened


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("caf\u00e9 \u6f22", "caf\u00e9 \u6f22"),
        ("\u202eabc\u2028", "\\u202eabc\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, written: str) -> None:
    assert printable(text) == written


def test_a_quotation_is_short() -> None:
    assert quoted("large") == "'large'"
    assert quoted("x" * 100) == repr("x" * 100)
    assert quoted("x" * 1_000_000) == repr("x" * 100) + "..."
    assert len(quoted(tuple(range(1000)))) == 100
    assert "\n" not in quoted("a\nb") + quoted(["a\nb"])


def test_a_text_is_shortened_to_its_limit() -> None:
    assert shortened("x" * 7, 7) == "x" * 7
    assert shortened("x" * 8, 7) == "xxxx..."


@pytest.mark.parametrize("options", [{"task": "x" * 999}, {"language": "x" * 999}])
def test_options_are_quoted_in_their_errors(options: dict[str, str]) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        DecodingOptions(**options)  # type: ignore[arg-type]
    assert next(iter(options)) in str(caught.value)
    assert len(str(caught.value)) < 200
    with pytest.raises(InvalidOptionError, match=r"^.{1,160}$"):
        EngineConfig(slots="x" * 999)  # type: ignore[arg-type]


def test_a_prompt_has_an_end() -> None:
    assert DecodingOptions(prompt="x" * 10_000).prompt
    with pytest.raises(InvalidOptionError, match="prompt must have at most 10000 characters"):
        DecodingOptions(prompt="x" * 10_001)
