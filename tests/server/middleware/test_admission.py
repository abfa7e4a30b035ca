"""Who comes in, and when all have left."""

import asyncio

import pytest

from auricle_server.middleware.admission import Admission
from auricle_types.errors import EngineStoppedError, QueueFullError


def test_one_more_than_the_limit_is_refused() -> None:
    admission = Admission(2)
    with admission, admission:
        with pytest.raises(QueueFullError, match="2 requests"), admission:
            pass
        assert admission.active == 2
    assert admission.active == 0


def test_a_place_is_given_back_when_the_request_fails() -> None:
    admission = Admission(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="failed"), admission:
            raise ValueError("failed")
    assert admission.active == 0


def test_closed_lets_nobody_in() -> None:
    admission = Admission(2)
    admission.close()
    with pytest.raises(EngineStoppedError, match="shutting down"), admission:
        pass
    with pytest.raises(EngineStoppedError, match="shutting down"):
        admission.check_open()


def test_full_is_still_open() -> None:
    admission = Admission(1)
    with admission:
        admission.check_open()
    assert admission.active == 0


async def test_idle_waits_for_the_last_one() -> None:
    admission = Admission(2)
    await admission.idle()  # at once: nobody is in
    with admission:
        with admission:
            waiting = asyncio.ensure_future(admission.idle())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        admission.close()
    await asyncio.wait_for(waiting, 20)
