"""Who comes in, who has a place, and when all have left."""

import asyncio
from contextlib import ExitStack

import pytest

from auricle_server.config import ServerConfig
from auricle_server.middleware.admission import Admission
from auricle_server.middleware.call import Call
from auricle_types.errors import EngineStoppedError, QueueFullError


def of(peer: str) -> Call:
    return Call("Test", peer)


@pytest.fixture
def admission() -> Admission:
    return Admission(ServerConfig(max_requests=2, max_open_requests=4, max_requests_per_peer=3))


def test_one_more_than_the_places_is_refused(admission: Admission) -> None:
    with admission.place(), admission.place():
        with pytest.raises(QueueFullError, match="2 requests"), admission.place():
            pass
        assert admission.active == 2
    assert admission.active == 0


def test_a_place_is_given_back_when_the_request_fails(admission: Admission) -> None:
    for _ in range(3):
        admitted = admission.admitted(of("a:1"))
        with pytest.raises(ValueError, match="failed"), admitted, admission.place():
            raise ValueError("failed")
    assert (admission.active, admission.open) == (0, 0)


@pytest.mark.parametrize(
    ("address", "other"), [("ipv4:10.0.0.1", "ipv4:10.0.0.2"), ("ipv6:%5B::1%5D", "ipv6:%5B::2%5D")]
)
def test_one_client_may_not_open_too_many(admission: Admission, address: str, other: str) -> None:
    with ExitStack() as entered:
        for port in range(3):
            entered.enter_context(admission.admitted(of(f"{address}:{port}")))
        with pytest.raises(QueueFullError, match="3 requests of your address"):
            entered.enter_context(admission.admitted(of(f"{address}:9")))
        entered.enter_context(admission.admitted(of(f"{other}:1")))
        assert admission.open == 4
        with pytest.raises(QueueFullError, match="4 requests are open"):
            entered.enter_context(admission.admitted(of("ipv4:10.0.0.3:1")))
    with admission.admitted(of(f"{address}:1")):
        assert admission.open == 1


def test_clients_that_left_leave_nothing_behind(admission: Admission) -> None:
    for number in range(50):
        with admission.admitted(of(f"ipv4:10.0.0.{number}:1")):
            pass
    assert len(admission._open) == 0


def test_closed_lets_nobody_in(admission: Admission) -> None:
    with admission.admitted(of("a:1")):
        admission.close()
        for entrance in (admission.admitted(of("a:1")), admission.place()):
            with pytest.raises(EngineStoppedError, match="shutting down"), entrance:
                pass
    with pytest.raises(EngineStoppedError, match="shutting down"):
        admission.check_open()


def test_full_is_still_open(admission: Admission) -> None:
    with admission.place(), admission.place():
        admission.check_open()
    assert admission.active == 0


async def test_idle_waits_for_the_last_place(admission: Admission) -> None:
    with admission.admitted(of("a:1")):  # has no place, so it is not waited for
        await asyncio.wait_for(admission.idle(), 20)
    with admission.place():
        with admission.place():
            waiting = asyncio.ensure_future(admission.idle())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        admission.close()
    await asyncio.wait_for(waiting, 20)
