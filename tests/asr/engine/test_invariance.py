"""The checker: what it compares, what it leaves alone, and that it costs one request at a time."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.engine import Engine, Outcome, Request
from auricle.engine.invariance import Checks, InvarianceChecker, alone_config, repeatable
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError, InferenceError, InvalidOptionError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.engine.fakes import NOT_FINITE, PATIENCE, POISON, FakeRunner, request


@dataclass
class Forgetful(FakeRunner):
    """Loses the last token of what it hears, and nothing else."""

    def _answer(self, job: Job) -> Hypothesis | AuricleError:
        whole = super()._answer(job)
        assert isinstance(whole, Hypothesis)
        return replace(whole, tokens=whole.tokens[:-1])


class Pair:
    """An engine that answers, and one that answers alone."""

    def __init__(self, alone: FakeRunner, share: float = 1.0, seed: int = 0) -> None:
        self.runner, self.alone = FakeRunner(), alone
        self.runner.allow()
        self.engine = Engine(self.runner)
        self.checker = InvarianceChecker(Engine(alone), share, Random(seed))

    def submit(self, request: Request) -> Future[Outcome]:
        """Watched from the start."""
        future = self.engine.submit(request)
        self.checker.watch(request, future)
        return future

    def answer(self, request: Request) -> Outcome:
        """Answered; its check has begun, or is not to be."""
        outcome = self.submit(request).result(PATIENCE)
        self.settle()
        return outcome

    def settle(self) -> None:
        """Until all callbacks of what was answered have run: they run one after the other."""
        passed = threading.Event()
        self.engine.submit(request()).add_done_callback(lambda _: passed.set())
        assert passed.wait(PATIENCE)

    def checks(self) -> Checks:
        """The counts at the end of all work."""
        self.engine.close()
        self.checker._engine.close()
        return self.checker.checks


@pytest.fixture
def alike() -> Iterator[Pair]:
    pair = Pair(FakeRunner())
    yield pair
    pair.alone.allow()
    pair.checks()


def test_the_same_tokens_are_no_difference(alike: Pair, caplog: pytest.LogCaptureFixture) -> None:
    alike.alone.allow()
    assert alike.answer(request(0.25)).hypothesis.tokens == (16_000, 250)
    assert alike.checks() == Checks(checked=1)
    assert caplog.records == []


def test_other_tokens_are_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(Forgetful())
    pair.alone.allow()
    pair.answer(request(0.25))
    assert pair.checks() == Checks(checked=1, different=1)
    ((_, level, message),) = caplog.record_tuples
    assert level == logging.WARNING
    assert "company than alone: [16000, 250], alone [16000]" in message


def test_it_begins_when_the_answer_is_out(alike: Pair) -> None:
    """The second engine may not step yet, and the answer comes all the same."""
    alike.answer(request())
    alike.alone.wait_for_step(1)
    assert alike.checker.checks == Checks()


def test_while_it_is_busy_others_are_skipped(alike: Pair) -> None:
    alike.answer(request(0.1))
    for _ in range(3):
        alike.answer(request(0.2))
    assert alike.checker.checks == Checks(skipped=3)
    alike.alone.allow()
    assert alike.checks() == Checks(checked=1, skipped=3)
    assert alike.alone.joins == [1]


def test_it_is_free_again_afterwards(alike: Pair) -> None:
    alike.alone.allow()
    for number in range(1, 4):
        alike.answer(request(number / 10))
        settled(alike.checker, number)
    assert alike.checks() == Checks(checked=3)


def settled(checker: InvarianceChecker, checked: int) -> None:
    """Until so many were compared: an answer of its engine passes behind its callbacks."""
    passed = threading.Event()
    checker._engine.submit(request()).add_done_callback(lambda _: passed.set())
    assert passed.wait(PATIENCE)
    assert checker.checks.checked == checked


def test_what_failed_or_was_cancelled_is_not_compared(alike: Pair) -> None:
    alike.alone.allow()
    for level in (POISON, NOT_FINITE):
        with pytest.raises(InferenceError):
            alike.submit(request(level)).result(PATIENCE)
    dropped: Future[Outcome] = Future()
    alike.checker.watch(request(), dropped)
    dropped.cancel()
    with pytest.raises(CancelledError):
        dropped.result(0)
    alike.settle()
    assert alike.checks() == Checks()
    assert alike.alone.joins == []


def test_what_fails_alone_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(FakeRunner(slots=1))
    pair.alone.allow()
    pair.answer(request(beam=2))  # refused at submit: too wide for the second engine
    assert pair.checker.checks == Checks(skipped=1)
    pair.answer(request())
    assert pair.checks() == Checks(checked=1, skipped=1)
    assert "too wide" in caplog.text


def test_a_deadline_is_for_the_first_answer_only(alike: Pair) -> None:
    future: Future[Outcome] = Future()
    alike.alone.allow()
    alike.checker.watch(request(deadline=1.0), future)  # long ago
    future.set_result(alike.engine.submit(request()).result(PATIENCE))
    assert alike.checks().checked == 1


def test_callers_may_change_their_samples_afterwards(alike: Pair) -> None:
    alike.alone.allow()
    mine = request(0.3)
    future: Future[Outcome] = Future()
    alike.checker.watch(mine, future)
    outcome = alike.engine.submit(request(0.3)).result(PATIENCE)
    mine.samples[:] = 0.9
    future.set_result(outcome)
    assert alike.checks() == Checks(checked=1)


# --- whom it chooses ---------------------------------------------------------------------------


def test_a_share_is_chosen_by_the_seed(alike: Pair) -> None:
    random, expected = Random(3), Random(3)
    checker = InvarianceChecker(Engine(FakeRunner()), 0.25, random)
    chosen = []
    for _ in range(400):
        future: Future[Outcome] = Future()
        checker.watch(request(seconds=0.01), future)
        chosen.append(bool(future._done_callbacks))  # type: ignore[attr-defined]  # not in stubs
        future.cancel()
    assert chosen == [expected.random() < 0.25 for _ in range(400)]
    assert 60 < sum(chosen) < 140
    checker.close()


@given(st.floats(0, 10), st.none() | st.integers(0, 9))
def test_only_what_is_the_same_each_time_is_chosen(temperature: float, seed: int | None) -> None:
    options = DecodingOptions(temperature=temperature, seed=seed)
    expected = temperature == 0 or seed is not None
    assert repeatable(replace(request(seconds=0.01), options=options)) is expected


def test_sampling_without_a_seed_is_not_checked(alike: Pair) -> None:
    alike.alone.allow()
    alike.answer(replace(request(), options=DecodingOptions(temperature=0.5)))
    assert alike.alone.joins == []


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none(share: float) -> None:
    engine = Engine(FakeRunner())
    with pytest.raises(InvalidOptionError, match="0 to 1"):
        InvarianceChecker(engine, share)
    engine.close()


def test_closing_drops_the_check_that_runs(alike: Pair, caplog: pytest.LogCaptureFixture) -> None:
    alike.answer(request())
    alike.alone.wait_for_step(1)
    closing = threading.Thread(target=alike.checker.close)
    closing.start()
    alike.alone.allow()  # the step that runs
    closing.join(PATIENCE)
    assert not closing.is_alive()
    checks = alike.checker.checks
    assert checks.checked + checks.skipped == 1
    assert caplog.records == []  # that is no trouble


def test_the_second_engine_is_small_but_takes_every_request() -> None:
    config = EngineConfig(max_queue=99, slots=64, max_cache_mib=7)
    assert alone_config(config) == EngineConfig(max_queue=1, slots=32, max_cache_mib=7)
    exact = replace(config, exact=True)  # computes all its slots: as many as the other
    assert alone_config(exact) == replace(exact, max_queue=1)
    assert alone_config(EngineConfig(slots=8)).slots == 8  # no wider beam passes the first either
