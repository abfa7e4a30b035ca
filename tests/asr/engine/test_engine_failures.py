"""Who fails, fails alone; all others get their words."""

import threading
from concurrent.futures import Future, wait

import pytest

from auricle.engine import Outcome
from auricle_types.errors import InferenceError
from tests.asr.engine.fakes import (
    NOT_FINITE,
    PATIENCE,
    POISON,
    VENOM,
    FakeRunner,
    MakeEngine,
    heard,
    occupy,
    request,
    words,
)


@pytest.mark.parametrize("poisoned", [[0], [3], [6], [2, 3], [0, 6], list(range(7))])
def test_poison_at_joining_fails_alone(
    make_engine: MakeEngine, runner: FakeRunner, poisoned: list[int]
) -> None:
    engine = make_engine()
    first = occupy(engine, runner, steps=3)
    levels = [POISON if index in poisoned else index / 100 for index in range(7)]
    futures = [engine.submit(request(level)) for level in levels]
    runner.allow()
    for index, future in enumerate(futures):
        if index in poisoned:
            with pytest.raises(InferenceError, match="poison") as caught:
                future.result(PATIENCE)
            assert isinstance(caught.value.__cause__, ValueError)
        else:
            assert words(future) == heard(request(levels[index]))
    assert words(first) == heard(request(0.001))
    assert runner.steps[0] == 1
    assert max(runner.joins) == 7
    assert words(engine.submit(request(0.5))) == heard(request(0.5))


def test_halves_are_tried_until_the_one_to_blame_stands_alone(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    futures = [engine.submit(request(POISON if n == 5 else 0.5)) for n in range(7)]
    runner.allow()
    assert isinstance(futures[5].exception(PATIENCE), InferenceError)
    assert not wait(futures, PATIENCE).not_done
    assert runner.joins == [1, 7, 3, 4, 2, 2, 1, 1]
    assert runner.steps == [1, 6]  # the others did not begin anew


@pytest.mark.parametrize("venomous", [[0], [2], [1, 3]])
def test_a_failing_step_begins_anew_with_each_alone(
    make_engine: MakeEngine, runner: FakeRunner, venomous: list[int]
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    levels = [VENOM if index in venomous else index / 100 for index in range(4)]
    futures = [engine.submit(request(level, steps=2)) for level in levels]
    runner.allow(1)
    runner.wait_for_step(2)
    later = engine.submit(request(0.7))
    runner.allow()
    assert words(later) == heard(request(0.7))
    for level, future in zip(levels, futures, strict=True):
        assert future.done()  # before all others
        if level == VENOM:
            with pytest.raises(InferenceError, match="venom"):
                future.result(PATIENCE)
        else:
            assert words(future) == heard(request(level))
    assert runner.steps[:2] == [1, 4]
    assert set(runner.steps[2:]) == {1}
    assert runner.joins == [1, 4, 1, 1, 1, 1, 1]


def test_what_the_runner_blames_fails_alone(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    levels = [0.1, NOT_FINITE, 0.2]
    futures = [engine.submit(request(level, steps=2)) for level in levels]
    runner.allow()
    with pytest.raises(InferenceError, match="not finite"):
        futures[1].result(PATIENCE)
    assert [words(futures[n]) for n in (0, 2)] == [heard(request(levels[n])) for n in (0, 2)]
    assert runner.steps == [1, 3, 3]


def test_a_suspect_may_be_cancelled(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    venom, dropped, kept = (engine.submit(request(level)) for level in (VENOM, 0.1, 0.2))
    runner.allow(2)  # the second one fails
    runner.wait_for_step(3)
    assert dropped.cancel()
    runner.allow()
    assert words(kept) == heard(request(0.2))
    assert isinstance(venom.exception(PATIENCE), InferenceError)
    assert runner.steps == [1, 3, 1, 1]


@pytest.mark.parametrize("level", [POISON, VENOM, NOT_FINITE])
def test_what_was_cancelled_before_it_failed_harms_nobody(
    make_engine: MakeEngine, runner: FakeRunner, level: float
) -> None:
    engine = make_engine()
    bad = engine.submit(request(level))
    assert bad.cancel() or level == POISON  # which may have failed already
    runner.allow()
    assert words(engine.submit(request())) == heard(request())
    assert bad.done()


def test_a_callback_that_raises_harms_nobody(make_engine: MakeEngine, runner: FakeRunner) -> None:
    def shout(future: Future[Outcome]) -> None:
        raise RuntimeError("not my fault")

    engine = make_engine()
    first = occupy(engine, runner)
    first.add_done_callback(shout)
    runner.allow()
    assert words(engine.submit(request())) == heard(request())


def test_a_callback_may_submit(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine, after = make_engine(), list[Future[Outcome]]()
    first = occupy(engine, runner)
    done = threading.Event()

    def submit_again(future: Future[Outcome]) -> None:
        after.append(engine.submit(request(0.9)))
        done.set()

    first.add_done_callback(submit_again)
    runner.allow()
    assert done.wait(PATIENCE)
    assert words(after[0]) == heard(request(0.9))
