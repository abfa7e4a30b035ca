import builtins
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from auricle.evaluation import RecognizedText, Utterance, evaluate, normalize, normalizer, score
from auricle_types.errors import InvalidOptionError

TEXTS = (
    "Mr. Smith colours twenty-one walls, um, for $5.50!",
    "[laughter] I'm gonna say (softly) it won't do; she'd've come.",
    "Two hundred and three per cent of 1,000 in nineteen eighty-four",
    "",
    "a",
    "naïve café",
)


def test_plain_is_the_default() -> None:
    assert normalizer("plain") is normalize
    report = score([Utterance(Path("a.wav"), "Colour")], [RecognizedText("color", 1.0)], 1.0)
    assert report.words.errors == 1


def test_whispers_rule_makes_equal_what_it_says_is_equal() -> None:
    pytest.importorskip("whisper_normalizer")
    utterances = [Utterance(Path("a.wav"), "Um, the colour of twenty-one!")]
    report = evaluate(
        utterances, lambda _: [RecognizedText("the color of 21", 1.0)], normalizer("whisper")
    )
    assert report.words.errors == 0


@pytest.mark.parametrize("text", TEXTS)
def test_it_is_openais_rule(text: str) -> None:
    pytest.importorskip("whisper_normalizer")
    openai = pytest.importorskip("whisper.normalizers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file open
        theirs = openai.EnglishTextNormalizer()
    assert normalizer("whisper")(text) == theirs(text)


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match="plain or whisper, not 'other'"):
        normalizer("other")


def test_without_its_package_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("whisper_normalizer"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InvalidOptionError, match=r"pip install 'auricle\[normalizer\]'"):
        normalizer("whisper")
