from typing import Any

import pytest

from auricle.config import DecodingOptions
from auricle.decoding import PlainDialect, dialect_of
from auricle.decoding.whisper import WhisperDialect
from auricle.errors import InvalidOptionError
from tests.asr.tiny import tiny_tokenizer


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("language", "de"),
        ("task", "translate"),
        ("prompt", "before"),
        ("timestamps", True),
        ("fallback", True),
    ],
)
def test_what_a_model_does_not_know_is_refused(option: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=f"^{option}"):
        PlainDialect(tiny_tokenizer().special).check(DecodingOptions(**{option: value}))


@pytest.mark.parametrize(
    "options",
    [
        DecodingOptions(),
        DecodingOptions(language="en", timestamps=False, fallback=False, prompt=""),
        DecodingOptions(beam_size=3, ctc_weight=0.1),
    ],
)
def test_what_it_does_anyway_may_be_said(options: DecodingOptions) -> None:
    dialect = PlainDialect(tiny_tokenizer().special)
    dialect.check(options)
    assert dialect.course(options, 10) is None


def test_the_vocabulary_says_how_to_speak() -> None:
    dialect = dialect_of(tiny_tokenizer(), "en")
    assert isinstance(dialect, PlainDialect)
    assert dialect.special == tiny_tokenizer().special


def test_whispers_vocabulary_is_whispers_dialect() -> None:
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    dialect = dialect_of(vocabulary())
    assert isinstance(dialect, WhisperDialect)
    assert dialect.special == vocabulary().special


def test_tasks_are_two() -> None:
    with pytest.raises(InvalidOptionError, match="task must be transcribe or translate"):
        DecodingOptions(task="summarise")  # type: ignore[arg-type]
