"""Sends each arrival's request when it is due, whatever became of those before it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from auricle_cli.load.clips import Clips
from auricle_cli.load.traffic import Arrival
from auricle_client.aio import AsyncClient
from auricle_client.options import RecognitionOptions
from auricle_types.errors import AudioError, AuricleError
from auricle_types.transcript import Receipt, Transcript

LEFT = "LEFT"  # hung up on purpose
REFUSED_GARBAGE = "REFUSED_GARBAGE"  # as it should be
UNFINISHED = "UNFINISHED"  # the time for waiting was over


@dataclass(frozen=True, slots=True)
class RequestResult:
    """What became of one arrival. Times in seconds from when it was due."""

    arrival: Arrival
    sent: float  # how late this process was
    latency: float  # to its end
    reason: str | None = None  # why there is no transcript
    first: float | None = None  # to the first segment of a stream
    audio_seconds: float = 0.0  # transcribed
    receipt: Receipt | None = None

    @property
    def at(self) -> float:
        """When it ended, in seconds from the start."""
        return self.arrival.at + self.latency


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """How requests are sent."""

    options: RecognitionOptions = RecognitionOptions()
    timeout: float = 60.0  # seconds, each request's deadline
    patience: float = 60.0  # seconds to wait for answers once the last arrival has come


async def send_all(
    client: AsyncClient,
    arrivals: Iterable[Arrival],
    clips: Clips,
    settings: RequestSettings = RequestSettings(),
    on_end: Callable[[RequestResult], None] = lambda _: None,
) -> list[RequestResult]:
    """Send all requests, each when it is due.

    Args:
        client: made on the running loop.
        arrivals: in the order of time.
        clips: what they send.
        settings: how each request is sent, and how long it is waited for.
        on_end: called for each one that has ended.

    Returns:
        What became of each, in the arrivals' order. A failure is a `RequestResult` with a reason.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    tasks: list[asyncio.Task[RequestResult]] = []
    for arrival in arrivals:
        request = _Request(client, arrival, clips.of_arrival(arrival), start + arrival.at)
        await asyncio.sleep(request.due - loop.time())
        task = asyncio.create_task(request.run(settings))
        task.add_done_callback(lambda done: on_end(done.result()))
        tasks.append(task)
        await asyncio.sleep(0)  # it starts before the next one's audio is cut
    await _wait(tasks, settings.patience)
    return [task.result() for task in tasks]


async def _wait(tasks: Sequence["asyncio.Task[RequestResult]"], patience: float) -> None:
    """For all to end; those that have not by then are told to."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=patience)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)


class _Request:
    """One arrival on its way."""

    def __init__(self, client: AsyncClient, arrival: Arrival, audio: bytes, due: float) -> None:
        self.due = due
        self._client = client
        self._arrival = arrival
        self._audio = audio
        self._first: float | None = None

    async def run(self, settings: RequestSettings) -> RequestResult:
        """Send it, see how it ends; being cancelled is an end, too."""
        sent = self._now()
        transcript: Transcript | None = None
        reason: str | None = None
        try:
            async with asyncio.timeout(self._arrival.leaves_after) as hangs_up:
                transcript = await self._ask(settings)
        except TimeoutError:
            reason = LEFT
        except asyncio.CancelledError:
            reason = UNFINISHED
        except AuricleError as error:
            reason = LEFT if hangs_up.expired() else self._reason(error)
        return self._ended(sent, transcript, reason)

    async def _ask(self, settings: RequestSettings) -> Transcript:
        if not self._arrival.streams:
            return await self._client.recognize(
                self._audio, settings.options, timeout=settings.timeout
            )
        stream = self._client.stream(self._audio, settings.options, timeout=settings.timeout)
        async with stream as segments:
            async for _ in segments:
                self._first = self._now() if self._first is None else self._first
        return stream.transcript

    def _ended(
        self, sent: float, transcript: Transcript | None, reason: str | None
    ) -> RequestResult:
        now, first = self._now(), self._first
        if transcript is None:
            return RequestResult(self._arrival, sent, now, reason, first)
        duration, receipt = transcript.duration, transcript.receipt
        return RequestResult(self._arrival, sent, now, None, first, duration, receipt)

    def _reason(self, error: AuricleError) -> str:
        refused = self._arrival.garbage and isinstance(error, AudioError)
        return REFUSED_GARBAGE if refused else error.reason

    def _now(self) -> float:
        """Seconds since it was due."""
        return asyncio.get_running_loop().time() - self.due
