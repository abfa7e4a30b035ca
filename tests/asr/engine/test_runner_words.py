"""Word times out of the runner, by the CTC head of a tiny model."""

import pytest
import torch

from auricle.decoding import ScorerFactory
from auricle.engine import ModelRunner
from auricle.families import new_policy
from auricle.families.auricle.ctc_words import ctc_words
from auricle.hypothesis import Hypothesis
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.jobs import alone, jobs, run, tokens
from tests.asr.tiny import DTYPES, prepared_model, sounds, tiny_tokenizer

CPU = torch.device("cpu")
TIMED = (
    DecodingOptions(max_tokens=16, word_timestamps=True),
    DecodingOptions(beam_size=3, max_tokens=16, word_timestamps=True),
    DecodingOptions(max_tokens=16),
    DecodingOptions(max_tokens=16, ctc_weight=0.0, guards=False, word_timestamps=True),
    DecodingOptions(max_tokens=4, word_timestamps=True),
    DecodingOptions(max_tokens=16, ctc_weight=0.0, guards=False),
)


def timing_runner(dtype: torch.dtype = torch.float32) -> ModelRunner:
    model = prepared_model(dtype)
    scorer_factory = ScorerFactory.of(
        model.config, policy=new_policy(model.config, tiny_tokenizer())
    )
    return ModelRunner(model, CPU, dtype, scorers=scorer_factory, config=EngineConfig(slots=40))


@pytest.mark.parametrize("dtype", DTYPES)
def test_words_are_the_same_in_any_company(dtype: torch.dtype) -> None:
    runner = timing_runner(dtype)
    together = run(runner, jobs(TIMED))
    assert together == alone(runner, jobs(TIMED))
    found = [answer for answer in together if isinstance(answer, Hypothesis)]
    assert len(found) == len(TIMED)
    assert sum(bool(answer.words) for answer in found) >= 3
    for answer, options in zip(found, TIMED, strict=True):
        assert options.word_timestamps or not answer.words


def test_they_are_aligned_by_what_the_head_hears() -> None:
    runner, request = timing_runner(), jobs(TIMED[:1], sounds()[:1])[0].request
    (found,) = alone(runner, jobs(TIMED[:1], sounds()[:1]))
    assert isinstance(found, Hypothesis)
    with torch.inference_mode():
        encoder_outs = runner.model.encoder.encode(runner._features([request]))
        (log_probs,) = runner._ctc(encoder_outs)
    config = runner.config
    seconds = config.transformer.subsampling / config.features.frames_per_second
    expected = ctc_words(log_probs, found.tokens, tiny_tokenizer(), seconds)
    assert found.words == expected != ()


def test_to_ask_changes_nothing_that_is_said() -> None:
    runner = timing_runner()
    plain = [DecodingOptions(ctc_weight=0.0, guards=False)] * len(sounds())
    timed = [DecodingOptions(ctc_weight=0.0, guards=False, word_timestamps=True)] * len(sounds())
    assert tokens(run(runner, jobs(timed))) == tokens(run(runner, jobs(plain)))


def test_what_is_kept_counts_as_memory() -> None:
    runner = timing_runner()
    plain, timed = (
        runner.check(job.request) for job in jobs((TIMED[2], TIMED[0]), [sounds()[0]] * 2)
    )
    assert timed.cache_bytes == 2 * plain.cache_bytes > 0


def test_who_cannot_spell_has_no_words() -> None:
    model = prepared_model(torch.float32)
    with pytest.raises(InvalidOptionError, match="word_timestamps"):
        ModelRunner(model, CPU).check(jobs(TIMED[:1], sounds()[:1])[0].request)
