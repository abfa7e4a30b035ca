"""A thousand requests with cancels, deadlines and failures at random: nothing is lost."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from auricle.engine import Engine, ModelRunner, Outcome, Request
from auricle.hypothesis import Hypothesis
from auricle_types.errors import DeadlineExceededError, InferenceError, QueueFullError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.fakes import (
    NOT_FINITE,
    PATIENCE,
    POISON,
    VENOM,
    Clock,
    FakeRunner,
    MakeEngine,
    assert_all_ended,
    assert_nothing_is_lost,
    heard,
    occupy,
    request,
    words,
)
from tests.asr.tiny import sounds, tiny_model

BAD = (POISON, VENOM, NOT_FINITE)
OPTIONS = (DecodingOptions(max_tokens=3), DecodingOptions(beam_size=3, max_tokens=2))


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", [0, 7, 19])
def test_one_that_is_poisoned_among_twenty_fails_alone(bad: float, place: int) -> None:
    runner = FakeRunner(slots=32, clock=Clock())
    engine = Engine(runner, EngineConfig(slots=32), clock=Clock())
    occupy(engine, runner)
    levels = [bad if n == place else n / 100 for n in range(20)]
    futures = [engine.submit(request(level, steps=2)) for level in levels]
    runner.allow()
    for level, future in zip(levels, futures, strict=True):
        if level == bad:
            with pytest.raises(InferenceError):
                future.result(PATIENCE)
        else:
            assert words(future) == heard(request(level))
    assert_nothing_is_lost(engine, runner)


@pytest.mark.parametrize("pads", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_at_random(
    make_engine: MakeEngine, runner: FakeRunner, pads: bool, seed: int
) -> None:
    runner.pads, runner.cache_bytes = pads, 1 << 20
    engine, chance = make_engine(max_queue=50, slots=8), random.Random(seed)
    runner.allow()
    futures: dict[Future[Outcome], Request] = {}
    refused = 0
    for _ in range(1_000):
        wanted = at_random(chance, runner)
        try:
            futures[engine.submit(wanted, block=wanted.deadline is None)] = wanted
        except QueueFullError:
            refused += 1
        except DeadlineExceededError:  # it passed while its request was made
            continue
        if futures and chance.random() < 0.2:
            chance.choice(list(futures)[-20:]).cancel()
    assert not wait(futures, PATIENCE).not_done
    for future, wanted in futures.items():
        if future.cancelled():
            continue
        error = future.exception()
        if wanted.samples[0] in BAD:
            assert isinstance(error, InferenceError | DeadlineExceededError)
        elif error is None:
            assert words(future) == heard(wanted)
        else:
            assert isinstance(error, DeadlineExceededError)
    engine.close()
    total = engine.statistics()
    assert (total.submitted, total.refused) == (len(futures), refused)
    assert min(total.finished, total.failed, total.cancelled, total.expired) > 0


def at_random(chance: random.Random, runner: FakeRunner) -> Request:
    assert runner.clock is not None
    return request(
        chance.choice(BAD) if chance.random() < 0.05 else chance.randint(0, 1_000) / 1_000,
        chance.choice((0.01, 0.5, 2.0, 20.0)),
        steps=chance.randint(1, 6),
        beam=chance.choice((1, 1, 1, 4, 8)),
        deadline=runner.clock.now + chance.uniform(1, 100) if chance.random() < 0.2 else None,
    )


@dataclass(frozen=True)
class Case:
    """A request of the tiny model and what it hears in it alone."""

    request: Request
    hypothesis: Hypothesis | None  # None: it fails


@pytest.fixture(scope="module")
def real() -> ModelRunner:
    return ModelRunner(tiny_model(), torch.device("cpu"), config=EngineConfig(slots=16))


@pytest.fixture
def engine(real: ModelRunner) -> Iterator[Engine]:
    """Over the tiny model; whatever a test does, no slot and no byte may be lost."""
    room = real.room
    engine = Engine(real, EngineConfig(slots=16, max_encode_seconds=2.0, max_queue=100))
    yield engine
    engine.close()
    assert real.room == room
    assert_all_ended(engine)


@pytest.fixture
def cases(engine: Engine) -> list[Case]:
    samples = [sound[:length] for sound in sounds() for length in (1_500, 4_000)]
    requests = [Request(some, options) for some in samples for options in OPTIONS]
    alone = [engine.submit(one).result(PATIENCE).hypothesis for one in requests]
    spoilt = np.full(5_000, np.nan, np.float32)
    return [*map(Case, requests, alone), Case(Request(spoilt), None)]


def test_hundreds_at_random_with_a_model(engine: Engine, cases: list[Case]) -> None:
    chance, futures = random.Random(0), list[tuple[Future[Outcome], Case]]()
    for _ in range(300):
        case = cases[-1] if chance.random() < 0.02 else chance.choice(cases)
        hurry = time.monotonic() + chance.uniform(0.001, 0.5) if chance.random() < 0.1 else None
        wanted = Request(case.request.samples, case.request.options, hurry)
        try:
            futures.append((engine.submit(wanted, block=True), case))
        except (DeadlineExceededError, QueueFullError):
            continue
        if chance.random() < 0.3:
            futures[-chance.randint(1, min(12, len(futures)))][0].cancel()
    assert not wait([future for future, _ in futures], 4 * PATIENCE).not_done
    for future, case in futures:
        if not future.cancelled():
            check(future, case)
    engine.close()
    total = engine.statistics()
    assert min(total.finished, total.failed, total.cancelled) > 0


def check(future: Future[Outcome], case: Case) -> None:
    """The answer that it gets alone, or the error that is its own."""
    error = future.exception()
    if error is None:
        assert future.result().hypothesis == case.hypothesis
    elif case.hypothesis is None:
        assert isinstance(error, InferenceError | DeadlineExceededError)
    else:
        assert isinstance(error, DeadlineExceededError)
