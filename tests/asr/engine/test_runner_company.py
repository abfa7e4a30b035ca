"""Whoever is beside it, a request is what it is alone: every model, every dtype, exact or not."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from auricle.config import SAMPLE_RATE
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle.model.decoder_cache import StepView
from auricle.model.ragged import RaggedCache
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.jobs import MIXED, Answer, alone, jobs, run, tokens
from tests.asr.tiny import (
    ARCHITECTURES,
    DTYPES,
    SECONDS,
    Positions,
    prepared_model,
    sounds,
)
from tests.asr.voices import Ears, voices

CPU = torch.device("cpu")
SLOTS = 24
EARS = [Ears(name, dtype) for name in ("tiny", "bundled") for dtype in DTYPES]
# Enough tokens to differ, and few enough for a large model.
OPTIONS = (
    DecodingOptions(max_tokens=12, lm_weight=0.3),
    DecodingOptions(beam_size=3, max_tokens=8, lm_weight=0.5),
    DecodingOptions(max_tokens=2, ctc_weight=0.0),
    DecodingOptions(beam_size=4, max_tokens=6, length_penalty=0.0, ctc_weight=1.0),
    DecodingOptions(max_tokens=10, temperature=0.8, seed=5, lm_weight=0.3),
    DecodingOptions(max_tokens=16, ctc_weight=0.0, guards=False),
)

hears = pytest.mark.parametrize("ears", EARS, ids=str)
is_exact = pytest.mark.parametrize("exact", [False, True], ids=["usual", "exact"])


@functools.cache
def runner_of(ears: Ears, exact: bool = False) -> ModelRunner:
    """Each test leaves it empty."""
    slots = 16 if exact else SLOTS  # an exact one computes all of them in each step
    return ModelRunner(
        ears.model,
        CPU,
        ears.dtype,
        scorers=ears.scorer_factory,
        config=EngineConfig(slots=slots, exact=exact),
    )


def jobs_of(ears: Ears) -> list[Job]:
    return jobs(ears.possible(OPTIONS), ears.samples)


@functools.cache
def heard_alone(ears: Ears, exact: bool = False) -> Sequence[Answer]:
    return alone(runner_of(ears, exact), jobs_of(ears))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_together_is_alone_to_the_last_bit(
    positions: Positions, conv_kernel: int, beam_size: int, dtype: torch.dtype
) -> None:
    model = prepared_model(dtype, positions, conv_kernel)
    runner = ModelRunner(model, CPU, dtype, config=EngineConfig(slots=20))
    batch = jobs([DecodingOptions(beam_size=beam_size, max_tokens=12)] * len(SECONDS))
    together = run(runner, batch)
    assert together == alone(runner, batch)
    assert len(set(tokens(together))) == len(SECONDS)


@hears
def test_tokens_depend_on_the_audio(ears: Ears) -> None:
    """Or else all of these comparisons would pass."""
    options = ears.possible(OPTIONS)[:1] * len(SECONDS)
    said = tokens(run(runner_of(ears), jobs(options, ears.samples)))
    assert len(set(said)) == len(SECONDS)
    assert len({one[0] for one in said if one}) > 2


@hears
def test_no_sample_is_as_long_as_another(ears: Ears) -> None:
    assert len({len(samples) for samples in ears.samples}) == len(SECONDS)


@hears
@is_exact
@settings(max_examples=2)
@given(st.permutations(range(len(SECONDS))), st.lists(st.integers(0, 4), min_size=6, max_size=6))
def test_whenever_they_join_they_hear_the_same(
    ears: Ears, exact: bool, order: list[int], waits: list[int]
) -> None:
    """In any order, with any number of steps between them; without any they share the encoder."""
    runner, some = runner_of(ears, exact), jobs_of(ears)
    room = runner.room
    answers: dict[Job, Answer] = {}
    together: list[Job] = []
    for index, wait in zip(order, waits, strict=True):
        together.append(some[index])
        if wait or index == order[-1]:
            runner.join(together)
            together = []
        for _ in range(wait):
            answers.update(runner.step())
    while len(answers) < len(some):
        answers.update(runner.step())
    assert [answers[job] for job in some] == heard_alone(ears, exact)
    assert runner.room == room


@hears
@settings(max_examples=2)
@given(data=st.data())
def test_who_leaves_early_is_not_missed(ears: Ears, data: st.DataObject) -> None:
    runner, some = runner_of(ears), jobs_of(ears)
    gone = data.draw(st.sets(st.integers(0, 5), max_size=4))
    runner.join(some)
    answers = dict(runner.step())
    for index in gone:
        if some[index] not in answers:
            runner.leave(some[index])
    stayed = [index for index in range(6) if index not in gone]
    while not all(some[index] in answers for index in stayed):
        answers.update(runner.step())
    expected = heard_alone(ears)
    assert [answers[some[index]] for index in stayed] == [expected[index] for index in stayed]
    assert runner.room.slots == SLOTS


@hears
def test_exact_or_not_the_words_of_a_cpu_are_the_same(ears: Ears) -> None:
    """To the last bit: fewer rows may be computed, but none of them differently."""
    assert heard_alone(ears, exact=True) == heard_alone(ears)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_full_engine_changes_no_bit(dtype: torch.dtype) -> None:
    """As many as there are slots, of two kinds of models' widths."""
    for ears in (Ears("tiny", dtype), Ears("bundled", dtype)):
        many = [Request(ears.samples[n % 6], ears.possible(OPTIONS)[0]) for n in range(SLOTS)]
        found = run(runner_of(ears), [Job(request, 0.0) for request in many])
        expected = run(runner_of(ears), [Job(many[n], 0.0) for n in range(6)])
        assert found == [expected[n % 6] for n in range(SLOTS)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_whole_window_and_a_word_share_a_batch(dtype: torch.dtype) -> None:
    """So long that attention takes several blocks of queries, beside the shortest."""
    ears = Ears("bundled", dtype)
    window = round(ears.model.config.window_seconds * SAMPLE_RATE)
    whole = np.resize(np.concatenate(ears.samples), window)
    samples = [ears.samples[1], whole, ears.samples[0][:3_000], whole[: window // 2]]
    some = jobs([DecodingOptions(max_tokens=4)] * 4, samples)
    together = run(runner_of(ears), some)
    assert together == alone(runner_of(ears), some)
    assert len(set(tokens(together))) > 2


@torch.inference_mode()
def test_the_shortest_have_features_of_the_same_bits() -> None:
    """A mel product of one to three frames would round differently."""
    runner = runner_of(EARS[0])
    waveforms = [sounds()[n][:samples] for n in range(6) for samples in (1, 170, 330, 490, 2_000)]
    together = runner._features([Request(samples) for samples in [*waveforms, *voices()]])
    assert {len(x) for x in together[:4]} == {1, 2, 3, 4}
    for samples, found in zip(waveforms, together, strict=False):
        assert torch.equal(runner._features([Request(samples)])[0], found)


# --- exact: shapes -----------------------------------------------------------------------------


class Shapes:
    """What a runner of its own has put through the model's parts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, exact: bool) -> None:
        self.model = prepared_model(torch.float32)
        self.rows: list[int] = []
        self.encoded: list[int] = []
        self.features: list[torch.Size] = []
        self._step, self._encode = self.model.decoder.step, self.model.encoder.encode
        monkeypatch.setattr(self.model.decoder, "step", self.step)
        monkeypatch.setattr(self.model.encoder, "encode", self.encode)
        self.runner = ModelRunner(self.model, CPU, config=EngineConfig(slots=20, exact=exact))
        self.runner.features.register_forward_pre_hook(self.heard)

    def step(self, tokens: Tensor, view: StepView) -> Tensor:
        self.rows.append(len(tokens))
        return self._step(tokens, view)

    def encode(self, xs: Sequence[Tensor]) -> list[Tensor]:
        self.encoded.append(len(xs))
        return self._encode(xs)

    def heard(self, features: nn.Module, arguments: tuple[Tensor, Tensor]) -> None:
        self.features.append(arguments[0].shape)


def test_no_shape_of_an_exact_runner_depends_on_company(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = Shapes(monkeypatch, exact=True)
    together = run(shapes.runner, jobs(MIXED))
    features, shapes.features = shapes.features, []
    separate = alone(shapes.runner, jobs(MIXED))
    assert shapes.features == features
    assert set(shapes.encoded) == {1}
    assert set(shapes.rows) == {32}  # all slots, in whole groups
    assert together == separate


def test_the_usual_runner_saves_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail."""
    shapes = Shapes(monkeypatch, exact=False)
    answers = run(shapes.runner, jobs(MIXED))
    assert shapes.encoded == [6]
    assert [shape[0] for shape in shapes.features] == [6]
    assert set(shapes.rows) == {16}
    assert all(isinstance(answer, Hypothesis) for answer in answers)


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """That many for the test: each one's share of the work ends somewhere else."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@hears
@pytest.mark.parametrize("threads", [2, 5], indirect=True)
def test_threads_change_nothing_between_alone_and_together(ears: Ears, threads: int) -> None:
    batch = jobs_of(ears)
    assert run(runner_of(ears), batch) == alone(runner_of(ears), batch)


@pytest.mark.parametrize("slots", [5, 6, 10])
def test_few_slots_are_exact_too(slots: int) -> None:
    """Products of few rows round differently in float32."""
    ears = Ears("tiny", torch.float32)
    runner = ModelRunner(ears.model, CPU, ears.dtype, config=EngineConfig(slots=slots, exact=True))
    batch = jobs([OPTIONS[0]] * len(SECONDS), ears.samples)[:slots]
    assert run(runner, batch) == alone(runner, batch)


@pytest.mark.parametrize("wanting", ["open", "close"])
def test_a_cache_that_fails_loses_no_slot(wanting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ears = Ears("tiny", torch.float32)
    runner = ModelRunner(ears.model, CPU, ears.dtype, config=EngineConfig(slots=4))
    room, (job, *_) = runner.room, jobs(OPTIONS[:1], ears.samples[:1])

    def fail(*_: object) -> None:
        raise MemoryError("can't allocate memory")

    def come_and_go() -> None:
        runner.join([job])
        runner.leave(job)

    with monkeypatch.context() as broken:
        broken.setattr(RaggedCache, wanting, fail)
        with pytest.raises(MemoryError):
            come_and_go()
    assert runner.room == room
    assert run(runner, [job]) == alone(runner, [job])
