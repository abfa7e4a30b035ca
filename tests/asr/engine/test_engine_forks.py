"""A fork of the process that has an engine: it is told so at once, and harms nothing."""

import os
from collections.abc import Callable

import pytest

from auricle.engine import Engine
from auricle.engine.processes.pool import EnginePool
from auricle_types.errors import EngineStoppedError
from tests.asr.engine.fakes import PATIENCE, FakeRunner, MakeEngine, heard, request

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def in_a_fork(work: Callable[[], None]) -> int:
    """The exit code of a fork that does `work`: 0 where it raised nothing; killed if it waits."""
    import signal

    child = os.fork()
    if child == 0:
        signal.alarm(round(PATIENCE))
        try:
            work()
        except BaseException:  # noqa: BLE001
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def use(engine: Engine | EnginePool) -> None:
    for ask in (lambda: engine.submit(request()), engine.statistics):
        with pytest.raises(EngineStoppedError, match="load the model after the fork"):
            ask()
    engine.close()


def test_an_engine_answers_no_fork_and_goes_on_here(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    with engine._changed:  # as if another thread were in the midst of it
        assert in_a_fork(lambda: use(engine)) == 0
    runner.allow()
    assert engine.submit(request(0.2)).result(PATIENCE).hypothesis == heard(request(0.2))


def test_a_pool_answers_no_fork_and_goes_on_here(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    pool = EnginePool([make_engine()], make_engine)
    assert in_a_fork(lambda: use(pool)) == 0
    runner.allow()
    assert pool.submit(request(0.2)).result(PATIENCE).hypothesis == heard(request(0.2))
