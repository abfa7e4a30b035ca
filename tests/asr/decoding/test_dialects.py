from dataclasses import replace
from typing import Any

import pytest

from auricle.config import ModelConfig, TransformerConfig
from auricle.decoding import Casting, PlainDialect, Utterance, dialect_of
from auricle.decoding.whisper import WhisperDialect, plain_prompt
from auricle_types.errors import CheckpointMismatchError, InvalidOptionError
from auricle_types.options import DecodingOptions
from tests.asr.tiny import tiny_tokenizer


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("language", "de"),
        ("task", "translate"),
        ("prompt", "before"),
        ("timestamps", True),
        ("fallback", True),
        ("word_timestamps", True),
    ],
)
def test_what_a_model_does_not_know_is_refused(option: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=f"^{option}"):
        PlainDialect().check(DecodingOptions(**{option: value}))


@pytest.mark.parametrize(
    "options",
    [
        DecodingOptions(),
        DecodingOptions(language="en", timestamps=False, fallback=False, prompt=""),
        DecodingOptions(beam_size=3, ctc_weight=0.1),
    ],
)
def test_what_it_does_anyway_may_be_said(options: DecodingOptions) -> None:
    dialect = PlainDialect()
    dialect.check(options)
    assert dialect.course(options, Utterance()) is None


def test_the_vocabulary_says_how_to_speak() -> None:
    dialect = dialect_of(ModelConfig(), tiny_tokenizer())
    assert isinstance(dialect, PlainDialect)


def test_whispers_vocabulary_is_whispers_dialect() -> None:
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    transformer = TransformerConfig(max_tokens=448)
    config = ModelConfig(family="whisper", tokens=vocabulary().special, transformer=transformer)
    assert isinstance(dialect_of(config, vocabulary()), WhisperDialect)
    with pytest.raises(CheckpointMismatchError, match="START and END are 1 and 2, but 50258"):
        dialect_of(ModelConfig(family="whisper", transformer=transformer), vocabulary())
    assert isinstance(dialect_of(ModelConfig(), vocabulary()), PlainDialect)  # of another family


@pytest.mark.parametrize(("own", "other"), [(99, 100), (100, 99)])
def test_another_generations_vocabulary_is_refused(own: int, other: int) -> None:
    """It has a language more or less, so all that stands behind means something else."""
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    start = plain_prompt(vocabulary(languages=own)).tokens
    tokens = replace(vocabulary(languages=own).special, start=start)
    transformer = TransformerConfig(max_tokens=448)
    config = ModelConfig(family="whisper", tokens=tokens, transformer=transformer)
    assert isinstance(dialect_of(config, vocabulary(languages=own)), WhisperDialect)
    with pytest.raises(CheckpointMismatchError, match="its prompt begins with"):
        dialect_of(config, vocabulary(languages=other))


def test_where_a_vad_hears_no_word_nothing_is_tried() -> None:
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    casting = Casting(9.0, has_ctc=False, dialect=WhisperDialect(vocabulary()))
    options = DecodingOptions()
    assert casting.course(options, Utterance(speech=False)) is None
    assert casting.roles(options, 9, 1.0, None, speech=False).search.done
    assert casting.course(options, Utterance(speech=True)) is not None
    assert casting.course(options, Utterance()) is not None  # it was not asked
    assert casting.course(replace(options, guards=False), Utterance(speech=False)) is not None


def test_tasks_are_two() -> None:
    with pytest.raises(InvalidOptionError, match="task must be transcribe or translate"):
        DecodingOptions(task="summarise")  # type: ignore[arg-type]


def test_without_a_ctc_head_it_has_no_weight() -> None:
    deaf, hearing = Casting(9.0, has_ctc=False), Casting(9.0)
    with pytest.raises(InvalidOptionError, match=r"^ctc_weight 0\.3 needs a CTC head.*leave"):
        deaf.check(DecodingOptions(ctc_weight=0.3))
    deaf.check(DecodingOptions())
    deaf.check(DecodingOptions(ctc_weight=0.0))  # which is what it does
    hearing.check(DecodingOptions(ctc_weight=0.3))
    with pytest.raises(InvalidOptionError, match=r"^language"):
        hearing.check(DecodingOptions(language="de"))


def test_words_have_times_where_there_is_a_way_to_find_out() -> None:
    asked = DecodingOptions(word_timestamps=True)
    dialect_of(ModelConfig(), tiny_tokenizer()).check(asked)
    deaf = ModelConfig(transformer=TransformerConfig(ctc=False))
    with pytest.raises(InvalidOptionError, match=r"^word_timestamps needs a CTC head.*leave it"):
        dialect_of(deaf, tiny_tokenizer()).check(asked)
    dialect_of(deaf, tiny_tokenizer()).check(DecodingOptions())
