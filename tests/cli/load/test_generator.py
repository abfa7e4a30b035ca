import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from auricle_cli.load import Arrival, Clips, RequestResult, RequestSettings, send_all
from auricle_cli.load.generator import LEFT, REFUSED_GARBAGE, UNFINISHED
from auricle_client import AsyncClient, QueueFullError, UnsupportedAudioError
from tests.cli.load.virtual import Loop, Server, run

CLIPS = Clips([b"audio"])
SETTINGS = RequestSettings()


def offered(
    server: Server,
    arrivals: Sequence[Arrival],
    settings: RequestSettings = SETTINGS,
    clips: Clips = CLIPS,
) -> list[RequestResult]:
    return run(send_all(cast(AsyncClient, server), arrivals, clips, settings))


def plain(*times: float) -> list[Arrival]:
    return [Arrival(at, 0.5, 1.0) for at in times]


def test_requests_are_sent_when_due_whatever_became_of_the_others() -> None:
    server = Server(seconds=10.0)
    offered(server, plain(0.5, 1.0, 4.0))
    assert server.came == pytest.approx([0.5, 1.0, 4.0])


def test_latency_counts_from_the_arrival_through_the_queue() -> None:
    ended = offered(Server(seconds=1.0), plain(0.0, 0.1, 0.2))
    assert [each.latency for each in ended] == pytest.approx([1.0, 1.9, 2.8])
    assert [each.at for each in ended] == pytest.approx([1.0, 2.0, 3.0])
    assert all(each.reason is None for each in ended)


class SlowClips(Clips):
    """Cutting the audio of who comes at half a second takes a second, and nothing else moves."""

    def of_arrival(self, arrival: Arrival) -> bytes:
        if arrival.at == 0.5:
            cast(Loop, asyncio.get_running_loop()).virtual.now += 1.0
        return super().of_arrival(arrival)


def test_what_keeps_the_generator_is_told_and_counts_as_latency() -> None:
    ended = offered(Server(seconds=0.0), plain(0.25, 0.5), clips=SlowClips([b"audio"]))
    assert [each.sent for each in ended] == pytest.approx([0.0, 0.75])
    assert ended[1].latency == pytest.approx(0.75)


def test_a_stream_s_first_result_comes_before_its_end() -> None:
    (ended,) = offered(Server(seconds=2.0), [Arrival(0.0, 0.5, 1.0, streams=True)])
    assert (ended.first, ended.latency) == pytest.approx((1.0, 2.0))
    assert ended.audio_seconds == 2.0
    assert ended.receipt is not None


def test_who_leaves_is_gone_and_no_error() -> None:
    arrivals = [Arrival(0.0, 0.5, 1.0, leaves_after=0.5), Arrival(1.0, 0.5, 1.0, leaves_after=9.0)]
    ended = offered(Server(seconds=2.0), arrivals)
    assert [each.reason for each in ended] == [LEFT, None]
    assert ended[0].latency == pytest.approx(0.5)
    assert ended[1].latency == pytest.approx(2.0)  # the server was free again


def test_errors_are_ends_with_a_reason() -> None:
    refuse = {b"audio": QueueFullError("full")}.get
    (ended,) = offered(Server(1.0, refuse), plain(0.0))
    assert (ended.reason, ended.audio_seconds, ended.receipt) == ("QUEUE_FULL", 0.0, None)


def test_garbage_that_is_refused_is_as_it_should_be() -> None:
    arrivals = [Arrival(0.0, 0.5, 1.0, garbage=True), Arrival(0.0, 0.5, 1.0)]
    (garbage, audio) = offered(Server(1.0, lambda _: UnsupportedAudioError("what?")), arrivals)
    assert garbage.reason == REFUSED_GARBAGE
    assert audio.reason == "UNSUPPORTED_AUDIO"


def test_another_error_for_garbage_is_an_error() -> None:
    arrivals = [Arrival(0.0, 0.5, 1.0, garbage=True)]
    (ended,) = offered(Server(1.0, lambda _: QueueFullError("full")), arrivals)
    assert ended.reason == "QUEUE_FULL"


def test_patience_ends() -> None:
    ended = offered(Server(seconds=10.0), plain(0.0, 1.0), RequestSettings(patience=12.0))
    assert [each.reason for each in ended] == [None, UNFINISHED]
    assert ended[1].at == pytest.approx(13.0)


def test_no_patience_at_all() -> None:
    ended = offered(Server(seconds=1.0), plain(0.0, 2.0), RequestSettings(patience=0.0))
    assert [each.reason for each in ended] == [None, UNFINISHED]


def test_nobody_comes() -> None:
    assert offered(Server(seconds=1.0), []) == []


def test_requests_have_a_deadline_and_ends_are_told() -> None:
    told: list[RequestResult] = []
    server = Server(seconds=1.0)
    work = send_all(
        cast(AsyncClient, server), plain(0.0, 1.0), CLIPS, RequestSettings(timeout=7.0), told.append
    )
    assert run(work) == told
    assert server.timeouts == [7.0, 7.0]
