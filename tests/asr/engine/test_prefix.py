"""A text that must begin with given tokens: what follows is what would have followed anyway."""

import numpy as np
import pytest
import torch

from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle.segmentation.vad import speech_end
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.jobs import run
from tests.asr.voices import Ears, voices

OPTIONS = [DecodingOptions(max_tokens=20), DecodingOptions(beam_size=3, max_tokens=20)]


@pytest.fixture(scope="module", params=["bundled", "tiny"])
def runner(request: pytest.FixtureRequest) -> ModelRunner:
    ears = Ears(request.param, torch.float32)
    config = EngineConfig(slots=8)
    return ModelRunner(
        ears.model, torch.device("cpu"), ears.dtype, scorers=ears.scorer_factory, config=config
    )


def found(runner: ModelRunner, samples: np.ndarray, **given: object) -> Hypothesis:
    request = Request(samples, speech=True, speech_end=speech_end(samples), **given)  # type: ignore[arg-type]
    (hypothesis,) = run(runner, [Job(request, 0.0, runner.check(request))])
    assert isinstance(hypothesis, Hypothesis)
    return hypothesis


@pytest.mark.parametrize("given", [1, 5, 12])
def test_greedy_search_goes_on_as_it_did(runner: ModelRunner, given: int) -> None:
    samples, options = voices()[0], OPTIONS[0]
    whole = found(runner, samples, options=options)
    prefix = Hypothesis(whole.tokens[:given], -0.1 * given, ended=False)
    assert found(runner, samples, options=options, prefix=prefix).tokens == whole.tokens


@pytest.mark.parametrize("options", OPTIONS, ids=["greedy", "beam"])
def test_a_prefix_stays_whatever_is_said(runner: ModelRunner, options: DecodingOptions) -> None:
    samples = voices()[0]
    other = found(runner, voices()[1], options=options).tokens
    prefix = Hypothesis(other[:6], -0.6, ended=False)
    assert found(runner, samples, options=options, prefix=prefix).tokens[:6] == other[:6]
