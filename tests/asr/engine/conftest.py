"""An engine over a fake runner; no test may lose a slot."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from auricle.engine import Engine
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import Clock, FakeRunner, MakeEngine, assert_nothing_is_lost


@pytest.fixture
def runner() -> FakeRunner:
    """It takes no step before a test allows it."""
    return FakeRunner(clock=Clock())


@pytest.fixture
def make_engine(runner: FakeRunner) -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(**budgets: float) -> Engine:
        config = EngineConfig(**budgets)  # type: ignore[arg-type]  # whole numbers, some of them
        assert runner.clock is not None
        engines.append(Engine(runner, config, model_id="fake", clock=runner.clock))
        return engines[-1]

    yield make
    for engine in engines:
        assert_nothing_is_lost(engine, runner)  # whatever a test did


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
