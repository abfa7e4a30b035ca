"""The engine's own figures."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.engine import Statistics
from auricle.engine.statistics import Ledger
from auricle_types.errors import AudioTooLongError, QueueFullError
from tests.asr.engine.fakes import (
    NOT_FINITE,
    PATIENCE,
    POISON,
    FakeRunner,
    MakeEngine,
    occupy,
    request,
)


def test_of_nothing_there_are_no_shares() -> None:
    nothing = Statistics()
    assert (nothing.occupancy, nothing.padding_ratio, nothing.tokens_per_second) == (0, 0, 0)
    with pytest.raises(FrozenInstanceError):
        nothing.steps = 1  # type: ignore[misc]


def test_shares_are_of_the_sums() -> None:
    total = Statistics(rows=3, slots=8, frames=90, computed_frames=100.0)
    total += Statistics(rows=5, slots=8, frames=45, computed_frames=50.0)
    total += Statistics(tokens=30, decode_seconds=0.5)
    assert total.occupancy == 0.5
    assert total.padding_ratio == pytest.approx(0.1)
    assert total.tokens_per_second == 60.0


@given(st.lists(st.integers(0, 1_000), min_size=17, max_size=17))
def test_a_sum_adds_every_field(amounts: list[int]) -> None:
    names = [field.name for field in fields(Statistics)]
    one = Statistics(**dict(zip(names, amounts, strict=True)))
    twice = one + one
    assert [getattr(twice, name) for name in names] == [2 * amount for amount in amounts]
    assert one + Statistics() == one


def test_many_threads_lose_nothing() -> None:
    ledger = Ledger()

    def add(_: int) -> None:
        for _ in range(100):
            ledger.add(Statistics(steps=1, rows=2))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert ledger.total == Statistics(steps=800, rows=1_600)


def test_a_life_in_figures(make_engine: MakeEngine, runner: FakeRunner) -> None:
    """Joining takes 2 s and a step half a second; a quarter of the frames is padding."""
    engine = make_engine(slots=8)
    assert engine.statistics() == Statistics()
    first = occupy(engine, runner, steps=2)
    second = engine.submit(request(seconds=3.0, steps=1, beam=5))
    now = engine.statistics()
    assert (now.submitted, now.waiting, now.running, now.finished) == (2, 1, 1, 0)
    runner.allow()
    assert not wait([first, second], PATIENCE).not_done
    now = engine.statistics()
    assert (now.submitted, now.finished, now.waiting, now.running) == (2, 2, 0, 0)
    assert (now.steps, now.tokens, now.audio_seconds) == (2, 6, 4.0)
    assert (now.encode_seconds, now.decode_seconds) == (4.0, 1.0)
    assert now.occupancy == (1 + 6) / 16
    assert now.padding_ratio == pytest.approx(0.25)
    assert now.tokens_per_second == 6.0


def test_each_ending_has_its_count(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine(max_queue=5)
    first = occupy(engine, runner)
    dropped = engine.submit(request())
    late = engine.submit(request(deadline=102.5))
    futures = [engine.submit(request(level)) for level in (POISON, NOT_FINITE, 0.5)]
    with pytest.raises(QueueFullError):
        engine.submit(request())
    with pytest.raises(AudioTooLongError):
        engine.submit(request(seconds=30.1))
    dropped.cancel()
    runner.allow()
    assert not wait([first, dropped, late, *futures], PATIENCE).not_done
    engine.close()
    now = engine.statistics()
    assert (now.submitted, now.refused) == (6, 1)
    assert (now.finished, now.failed, now.cancelled, now.expired) == (2, 2, 1, 1)
