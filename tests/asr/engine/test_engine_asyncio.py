"""The engine from asyncio: `asyncio.wrap_future` is all it takes."""

import asyncio

import pytest

from auricle.engine import Engine
from auricle_types.errors import DeadlineExceededError, InferenceError
from tests.asr.engine.fakes import NOT_FINITE, PATIENCE, FakeRunner, MakeEngine, heard, request


@pytest.fixture
def engine(make_engine: MakeEngine) -> Engine:
    return make_engine()


async def begun(runner: FakeRunner, step: int) -> None:
    await asyncio.to_thread(runner.wait_for_step, step)


def test_answers_and_errors_can_be_awaited(engine: Engine, runner: FakeRunner) -> None:
    async def ask() -> list[object]:
        late = request(steps=9, deadline=103.0)
        wanted = [late, *(request(level) for level in (0.1, NOT_FINITE, 0.2))]
        futures = [asyncio.wrap_future(engine.submit(one)) for one in wanted]
        runner.allow()
        return await asyncio.gather(*futures, return_exceptions=True)

    late, first, failed, last = asyncio.run(ask())
    assert getattr(first, "hypothesis", None) == heard(request(0.1))
    assert getattr(last, "hypothesis", None) == heard(request(0.2))
    assert isinstance(failed, InferenceError)
    assert isinstance(late, DeadlineExceededError)


def test_a_cancelled_task_takes_its_work_off_the_device(engine: Engine, runner: FakeRunner) -> None:
    async def ask(level: float) -> object:
        return (await asyncio.wrap_future(engine.submit(request(level, steps=50)))).hypothesis

    async def scene() -> None:
        dropped, kept = asyncio.create_task(ask(0.1)), asyncio.create_task(ask(0.2))
        await begun(runner, 1)
        runner.allow(1)
        await begun(runner, 2)
        waiting = asyncio.create_task(ask(0.3))
        await asyncio.sleep(0)  # which submits it
        dropped.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dropped
        with pytest.raises(asyncio.CancelledError):
            await waiting
        runner.allow(1)  # the step that was under way
        await begun(runner, 3)
        assert len(runner.running) == 1
        runner.allow()
        assert await kept == heard(request(0.2))

    asyncio.run(asyncio.wait_for(scene(), PATIENCE))
    assert sum(runner.joins) < 3  # the one that waited was never encoded
    assert engine.statistics().finished == 1


def test_a_timeout_drops_the_work(engine: Engine, runner: FakeRunner) -> None:
    async def ask() -> None:
        async with asyncio.timeout(0):
            await asyncio.wrap_future(engine.submit(request(steps=50)))

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    runner.allow()
    engine.close()
    assert engine.statistics().cancelled == 1


def test_a_loop_that_has_gone_does_not_hurt_the_others(engine: Engine, runner: FakeRunner) -> None:
    """Its callback raises, on the thread of the answers."""

    async def abandon() -> None:
        future = engine.submit(request(0.1))
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(print))
        loop = asyncio.get_running_loop()

    asyncio.run(abandon())
    runner.allow()
    other = engine.submit(request(0.2))
    assert other.result(PATIENCE).hypothesis == heard(request(0.2))


def test_many_tasks_each_get_their_own(engine: Engine, runner: FakeRunner) -> None:
    async def ask(number: int) -> bool:
        mine = request(number / 1_000, 0.01, steps=1 + number % 5)
        outcome = await asyncio.wrap_future(engine.submit(mine))
        return outcome.hypothesis == heard(mine)

    async def ask_all() -> list[bool]:
        return await asyncio.gather(*(ask(number) for number in range(200)))

    runner.allow()
    assert all(asyncio.run(ask_all()))
