"""Futures are completed in order, on their own thread, whatever their callbacks do."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from auricle.engine import Outcome
from auricle.engine.answers import Answers
from auricle.engine.statistics import Ledger
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError, DeadlineExceededError, InferenceError
from auricle_types.transcript import Receipt
from tests.asr.engine.fakes import PATIENCE

OUTCOME = Outcome(Hypothesis((3, 4), -1.0), Receipt("fake", tokens=3))
Promise = Future[Outcome]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def answers(ledger: Ledger) -> Iterator[Answers]:
    answers = Answers(ledger)
    yield answers
    answers.close()
    answers.join()


def finish(answers: Answers) -> None:
    """All that was given is complete."""
    answers.close()
    answers.join()


def test_results_and_errors_reach_their_futures(answers: Answers, ledger: Ledger) -> None:
    futures = [Promise() for _ in range(4)]
    futures[2].cancel()
    late, failed = DeadlineExceededError("late"), InferenceError("failed")
    results: list[Outcome | AuricleError] = [OUTCOME, late, OUTCOME, failed]
    for future, result in zip(futures, results, strict=True):
        answers.give(future, result)
    assert futures[0].result(PATIENCE) is OUTCOME
    assert futures[1].exception(PATIENCE) is late
    assert futures[3].exception(PATIENCE) is failed
    assert not wait(futures[2:3], PATIENCE).not_done  # whoever waits for it is told
    total = ledger.total
    assert (total.finished, total.tokens, total.expired) == (1, 3, 1)
    assert (total.failed, total.cancelled) == (1, 1)


def test_whoever_has_an_answer_finds_it_counted(answers: Answers, ledger: Ledger) -> None:
    seen: list[int] = []
    for _ in range(20):
        future = Promise()
        future.add_done_callback(lambda _: seen.append(ledger.total.finished))
        answers.give(future, OUTCOME)
    finish(answers)
    assert seen == list(range(1, 21))


def test_the_order_is_kept_and_the_thread_is_its_own(answers: Answers) -> None:
    order: list[int] = []
    threads: set[str] = set()
    for number in range(50):
        future = Promise()
        future.add_done_callback(lambda _, number=number: order.append(number))  # type: ignore[misc]
        future.add_done_callback(lambda _: threads.add(threading.current_thread().name))
        answers.give(future, OUTCOME)
    finish(answers)
    assert order == list(range(50))
    assert threads == {"auricle-answers"}


def test_a_slow_callback_does_not_hold_up_whoever_gives(answers: Answers) -> None:
    go_on, first = threading.Event(), Promise()
    first.add_done_callback(lambda _: go_on.wait(PATIENCE))
    futures = [first, *(Promise() for _ in range(100))]
    for future in futures:
        answers.give(future, OUTCOME)
    assert not futures[-1].done()
    go_on.set()
    assert not wait(futures, PATIENCE).not_done


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit]
)
def test_a_callback_may_raise_anything(answers: Answers, error: type[BaseException]) -> None:
    def shout(_: Promise) -> None:
        raise error("not my fault")

    first, second = Promise(), Promise()
    first.add_done_callback(shout)
    for future in (first, second):
        answers.give(future, OUTCOME)
    assert second.result(PATIENCE) is OUTCOME
    assert first.result(PATIENCE) is OUTCOME


def test_a_future_that_somebody_else_completed_hurts_nobody(answers: Answers) -> None:
    meddled, kept = Promise(), Promise()
    meddled.set_result(OUTCOME)
    answers.give(meddled, OUTCOME)
    answers.give(kept, OUTCOME)
    assert kept.result(PATIENCE) is OUTCOME


def test_what_was_given_before_the_end_is_answered(answers: Answers) -> None:
    futures = [Promise() for _ in range(100)]
    for future in futures:
        answers.give(future, OUTCOME)
    finish(answers)
    assert all(future.done() for future in futures)


def test_a_callback_that_waits_for_the_end_does_not_wait_for_itself(answers: Answers) -> None:
    first, second = Promise(), Promise()
    first.add_done_callback(lambda _: finish(answers))
    for future in (first, second):
        answers.give(future, OUTCOME)
    assert first.result(PATIENCE) is OUTCOME
    assert second.result(PATIENCE) is OUTCOME
