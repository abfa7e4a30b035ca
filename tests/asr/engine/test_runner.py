"""The real runner with a tiny model: waveforms in, hypotheses out."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.engine.runner import resolve_device, resolve_dtype
from auricle.errors import (
    AudioTooLongError,
    AuricleError,
    EmptyAudioError,
    InferenceError,
    InvalidOptionError,
)
from auricle.hypothesis import Hypothesis
from auricle.model.strip import Strip
from tests.asr.tiny import (
    ARCHITECTURES,
    SECONDS,
    WINDOW_SECONDS,
    Positions,
    decoded,
    sounds,
    tiny_model,
    utterances,
)

CPU = torch.device("cpu")
GREEDY = DecodingOptions()
MIXED = (
    DecodingOptions(),
    DecodingOptions(beam_size=3),
    DecodingOptions(max_tokens=2),
    DecodingOptions(beam_size=3, length_penalty=0.0),
    DecodingOptions(beam_size=4, max_tokens=4),
    DecodingOptions(),
)
Answers = list[Hypothesis | AuricleError]


@pytest.fixture(scope="module")
def runner() -> ModelRunner:
    return ModelRunner(tiny_model(), CPU, slots=40)


def jobs(options: Sequence[DecodingOptions] = (GREEDY,) * len(SECONDS)) -> list[Job]:
    return [Job(Request(s, o), 0.0) for s, o in zip(sounds(), options, strict=True)]


def run(runner: ModelRunner, some: Sequence[Job]) -> Answers:
    """Join all at once and decode to the last."""
    free = runner.room.slots
    runner.join(some)
    assert runner.room.slots == free - sum(job.request.slots for job in some)
    answers: dict[Job, Hypothesis | AuricleError] = {}
    while len(answers) < len(some):
        answers.update(runner.step())
    assert runner.room.slots == free
    return [answers[job] for job in some]


def alone(runner: ModelRunner, some: Sequence[Job]) -> Answers:
    return [run(runner, [job])[0] for job in some]


def tokens(hypotheses: Answers) -> list[tuple[int, ...]]:
    return [h.tokens for h in hypotheses if isinstance(h, Hypothesis)]


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_together_is_alone_to_the_last_bit(
    positions: Positions, conv_kernel: int, beam_size: int
) -> None:
    runner = ModelRunner(tiny_model(positions, conv_kernel), CPU, slots=20)
    batch = jobs([DecodingOptions(beam_size=beam_size)] * len(SECONDS))
    together = run(runner, batch)
    assert together == alone(runner, batch)
    assert len(set(tokens(together))) == len(SECONDS)


def test_each_request_keeps_its_own_options(runner: ModelRunner) -> None:
    together = run(runner, jobs(MIXED))
    assert together == alone(runner, jobs(MIXED))
    assert len(tokens(together)[2]) <= 2
    assert len(tokens(together)[4]) <= 4


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(len(SECONDS))), st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_whenever_they_join_they_hear_the_same(order: list[int], waits: list[int]) -> None:
    """In any order, with any number of steps between them; the features are batched too."""
    runner = ModelRunner(tiny_model(), CPU, slots=40)
    some, expected = jobs(MIXED), alone(runner, jobs(MIXED))
    answers: dict[Job, Hypothesis | AuricleError] = {}
    for index, wait in zip(order, waits, strict=True):
        runner.join([some[index]])
        for _ in range(wait):
            answers.update(runner.step())
    while len(answers) < len(some):
        answers.update(runner.step())
    assert [answers[job] for job in some] == expected
    assert runner.room.slots == 40


def test_the_shortest_have_features_of_the_same_bits(runner: ModelRunner) -> None:
    """A mel product of one to three frames would round differently."""
    waveforms = [sounds()[n][:samples] for n in range(6) for samples in (1, 170, 330, 490, 2_000)]
    together = runner._features([Request(samples) for samples in [*waveforms, *sounds()]])
    assert {len(x) for x in together[:4]} == {1, 2, 3, 4}
    for samples, found in zip(waveforms, together, strict=False):
        assert torch.equal(runner._features([Request(samples)])[0], found)


def test_it_runs_the_models_parts_in_their_order(runner: ModelRunner) -> None:
    model = tiny_model()
    expected = decoded(model, model.encoder.encode(utterances(model.config)))
    assert tokens(run(runner, jobs())) == [h.tokens for h in expected]


def test_the_padding_ratio_counts_encoder_frames(runner: ModelRunner) -> None:
    config = tiny_model().config
    x_lens = [config.features.x_len(len(s)) for s in sounds()]
    some = jobs()
    assert runner.join(some) == Strip.of(x_lens, config.transformer).padding_ratio
    for job in some:
        runner.leave(job)
    assert 0 < runner.join(some[2:3]) < 0.15
    runner.leave(some[2])


def test_who_leaves_takes_its_slots_along(runner: ModelRunner) -> None:
    some = jobs(MIXED)
    expected = alone(runner, some)
    runner.join(some)
    runner.step()
    runner.leave(some[1])
    runner.leave(some[4])
    assert runner.room.slots == 40 - 1 - 1 - 3 - 1
    answers: dict[Job, Hypothesis | AuricleError] = {}
    while len(answers) < 4:
        answers.update(runner.step())
    assert runner.room.slots == 40
    assert {some.index(job): answer for job, answer in answers.items()} == {
        index: expected[index] for index in (0, 2, 3, 5)
    }
    assert runner.step() == []


def test_nobody_says_more_tokens_than_encoder_frames(runner: ModelRunner) -> None:
    short = Request(sounds()[0][:3_200], DecodingOptions(max_tokens=1_000))  # 5 encoder frames
    (hypothesis,) = run(runner, [Job(short, 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    assert hypothesis.steps <= 5


def test_a_single_sample_is_audio(runner: ModelRunner) -> None:
    (hypothesis,) = run(runner, [Job(Request(np.ones(1, np.float32)), 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    assert hypothesis.steps == 1


def test_a_whole_window_is_taken(runner: ModelRunner) -> None:
    whole = np.tile(sounds()[2], 3)[: round(WINDOW_SECONDS * SAMPLE_RATE)]
    runner.check(Request(whole))
    (hypothesis,) = run(runner, [Job(Request(whole, DecodingOptions(beam_size=32)), 0.0)])
    assert isinstance(hypothesis, Hypothesis)
    with pytest.raises(AudioTooLongError, match="does not fit the model's 5 s"):
        runner.check(Request(np.append(whole, whole[:1])))


def test_what_could_never_run_is_refused(runner: ModelRunner) -> None:
    with pytest.raises(EmptyAudioError):
        runner.check(Request(np.zeros(0, np.float32)))
    few = ModelRunner(tiny_model(), CPU, slots=4)
    few.check(Request(sounds()[0], DecodingOptions(beam_size=4)))
    with pytest.raises(InvalidOptionError, match="beam_size 5 needs more than the engine's 4"):
        few.check(Request(sounds()[0], DecodingOptions(beam_size=5)))


def test_joining_is_all_or_none(runner: ModelRunner) -> None:
    wide = [Job(Request(s, DecodingOptions(beam_size=24)), 0.0) for s in sounds()[:2]]
    with pytest.raises(ValueError, match="24 slots wanted where 16 are free"):
        runner.join(wide)
    assert runner.room.slots == 40
    assert runner.step() == []
    assert tokens(run(runner, wide[:1]))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_samples_beyond_all_measure_are_an_error(runner: ModelRunner, value: float) -> None:
    samples = sounds()[0].copy()
    samples[5_000] = value
    with pytest.raises(InferenceError, match="not finite"):
        runner.join([*jobs(), Job(Request(samples), 0.0)])
    assert runner.room.slots == 40
    assert run(runner, jobs()) == alone(runner, jobs())


def test_what_is_not_finite_in_the_decoder_fails_alone(
    runner: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode: Callable[[list[Tensor]], list[Tensor]] = runner.model.encoder.encode

    def spoil(xs: list[Tensor]) -> list[Tensor]:
        encoder_outs = encode(xs)
        encoder_outs[1][3] = 3e38  # finite, but not for long
        return encoder_outs

    expected = alone(runner, jobs(MIXED))
    monkeypatch.setattr(runner.model.encoder, "encode", spoil)
    found = run(runner, jobs(MIXED))
    assert isinstance(found[1], InferenceError)
    assert [*found[:1], *found[2:]] == [*expected[:1], *expected[2:]]
    monkeypatch.undo()
    assert run(runner, jobs(MIXED)) == expected  # its slots are clean again


def test_a_callers_array_is_copied(runner: ModelRunner) -> None:
    expected = alone(runner, jobs())
    mine = [np.array(s[::-1])[::-1] for s in sounds()]
    some = [Job(Request(s), 0.0) for s in mine]
    runner.join(some)
    for samples in mine:
        samples[:] = 0.0
    answers: dict[Job, Hypothesis | AuricleError] = {}
    while len(answers) < len(some):
        answers.update(runner.step())
    assert [answers[job] for job in some] == expected


def test_half_precision_is_close() -> None:
    model = copy.deepcopy(tiny_model())
    runner = ModelRunner(model, CPU, torch.bfloat16)
    assert model.ctc.weight.dtype == torch.bfloat16
    found = run(runner, jobs())
    assert len(set(tokens(found))) > 1
    assert found == alone(runner, jobs())


def test_auto_is_the_best_there_is() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_dtype("auto", torch.device("cpu")) == torch.float32
    assert resolve_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert resolve_dtype("float16", CPU) == torch.float16


@pytest.mark.parametrize("name", ["tpu", "", "cpu:x", "meta", "mps"])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(InvalidOptionError, match="device must be cpu, cuda or auto"):
        resolve_device(name)


@pytest.mark.parametrize(("devices", "name"), [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2")])
def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, devices: int, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    with pytest.raises(InvalidOptionError, match="use --device cpu or auto"):
        resolve_device(name)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(InvalidOptionError, match="float32, bfloat16, float16"):
        resolve_dtype("int8", CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("beam_size", [1, 3])
def test_cuda_says_what_the_cpu_says(runner: ModelRunner, beam_size: int) -> None:
    device = ModelRunner(copy.deepcopy(tiny_model()), torch.device("cuda"), slots=40)
    options = [DecodingOptions(beam_size=beam_size)] * len(SECONDS)
    assert tokens(run(device, jobs(options))) == tokens(run(runner, jobs(options)))
