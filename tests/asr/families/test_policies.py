from dataclasses import replace
from typing import Any

import pytest

from auricle.config import ModelConfig, TransformerConfig
from auricle.decoding import PlainPolicy, ScorerFactory, UtteranceFacts
from auricle.families import new_policy
from auricle.families.whisper.policy import WhisperPolicy
from auricle.families.whisper.prompts import plain_prompt
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
        PlainPolicy("en").check(DecodingOptions(**{option: value}))


@pytest.mark.parametrize(
    "options",
    [
        DecodingOptions(),
        DecodingOptions(language="en", timestamps=False, fallback=False, prompt=""),
        DecodingOptions(beam_size=3, ctc_weight=0.1),
    ],
)
def test_what_it_does_anyway_may_be_said(options: DecodingOptions) -> None:
    policy = PlainPolicy("en")
    policy.check(options)
    assert policy.passes(options, UtteranceFacts()) is None


def test_the_vocabulary_says_how_to_speak() -> None:
    policy = new_policy(ModelConfig(), tiny_tokenizer())
    assert isinstance(policy, PlainPolicy)


def test_whispers_vocabulary_is_whispers_policy() -> None:
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    transformer = TransformerConfig(max_tokens=448)
    config = ModelConfig(family="whisper", tokens=vocabulary().special, transformer=transformer)
    assert isinstance(new_policy(config, vocabulary()), WhisperPolicy)
    with pytest.raises(CheckpointMismatchError, match="START and END are 1 and 2, but 50258"):
        new_policy(ModelConfig(family="whisper", transformer=transformer), vocabulary())
    assert isinstance(new_policy(ModelConfig(), vocabulary()), PlainPolicy)  # of another family


@pytest.mark.parametrize(("own", "other"), [(99, 100), (100, 99)])
def test_another_generations_vocabulary_is_refused(own: int, other: int) -> None:
    """It has a language more or less, so all that stands behind means something else."""
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    start = plain_prompt(vocabulary(languages=own)).tokens
    tokens = replace(vocabulary(languages=own).special, start=start)
    transformer = TransformerConfig(max_tokens=448)
    config = ModelConfig(family="whisper", tokens=tokens, transformer=transformer)
    assert isinstance(new_policy(config, vocabulary(languages=own)), WhisperPolicy)
    with pytest.raises(CheckpointMismatchError, match="its prompt begins with"):
        new_policy(config, vocabulary(languages=other))


def test_where_a_vad_hears_no_word_nothing_is_tried() -> None:
    pytest.importorskip("whisper")
    from tests.asr.tokenizer.unicode_lines import vocabulary

    scorer_factory = ScorerFactory(
        9.0, vocabulary().end, has_ctc=False, policy=WhisperPolicy(vocabulary())
    )
    options = DecodingOptions()
    assert scorer_factory.passes(options, UtteranceFacts(speech=False)) is None
    assert scorer_factory.scorers(options, 9, 1.0, None, speech=False).search.done
    assert scorer_factory.passes(options, UtteranceFacts(speech=True)) is not None
    assert scorer_factory.passes(options, UtteranceFacts()) is not None  # it was not asked
    assert (
        scorer_factory.passes(replace(options, guards=False), UtteranceFacts(speech=False))
        is not None
    )


def test_tasks_are_two() -> None:
    with pytest.raises(InvalidOptionError, match="task must be transcribe or translate"):
        DecodingOptions(task="summarise")  # type: ignore[arg-type]


def test_without_a_ctc_head_it_has_no_weight() -> None:
    without_ctc = ModelConfig(transformer=TransformerConfig(ctc=False))
    without, with_ctc = ScorerFactory.of(without_ctc), ScorerFactory.of(ModelConfig())
    with pytest.raises(InvalidOptionError, match=r"^ctc_weight 0\.3 needs a CTC head.*leave"):
        without.check(DecodingOptions(ctc_weight=0.3))
    without.check(DecodingOptions())
    without.check(DecodingOptions(ctc_weight=0.0))  # which is what it does
    with_ctc.check(DecodingOptions(ctc_weight=0.3))
    with pytest.raises(InvalidOptionError, match=r"^language"):
        with_ctc.check(DecodingOptions(language="de"))


def test_words_have_times_where_there_is_a_way_to_find_out() -> None:
    asked = DecodingOptions(word_timestamps=True)
    new_policy(ModelConfig(), tiny_tokenizer()).check(asked)
    without_ctc = ModelConfig(transformer=TransformerConfig(ctc=False))
    with pytest.raises(InvalidOptionError, match=r"^word_timestamps needs a CTC head.*leave it"):
        new_policy(without_ctc, tiny_tokenizer()).check(asked)
    new_policy(without_ctc, tiny_tokenizer()).check(DecodingOptions())
