"""Time that passes only while everybody sleeps, and a server that takes some of it."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from auricle_client import AuricleError, Receipt, RecognitionOptions, Segment, Transcript

Answer = TypeVar("Answer")


class _Selector(selectors.SelectSelector):
    """Does not wait: it moves the clock instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop on such a clock."""

    def __init__(self) -> None:
        self.virtual = _Selector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """The answer of `work`, in no time."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)


class Server:
    """Serves one request at a time, each in `seconds`; `refuse` may raise for an audio."""

    def __init__(
        self, seconds: float, refuse: Callable[[bytes], AuricleError | None] | None = None
    ) -> None:
        self.seconds = seconds
        self.refuse = refuse or (lambda _: None)
        self.came: list[float] = []
        self.timeouts: list[float | None] = []
        self._busy = asyncio.Lock()

    async def recognize(
        self,
        audio: bytes,
        options: RecognitionOptions,
        *,
        timeout: float | None,  # noqa: ASYNC109 - as the real client has it
    ) -> Transcript:
        self.came.append(asyncio.get_running_loop().time())
        self.timeouts.append(timeout)
        if refusal := self.refuse(audio):
            raise refusal
        async with self._busy:
            await asyncio.sleep(self.seconds)
        return transcript()

    def stream(
        self, audio: bytes, options: RecognitionOptions, *, timeout: float | None
    ) -> "_Stream":
        return _Stream(self, audio, options, timeout)


class _Stream:
    """A segment after half of the time, another one at its end."""

    def __init__(
        self, server: Server, audio: bytes, options: RecognitionOptions, timeout: float | None
    ) -> None:
        self.transcript = transcript()
        self._server = server
        self._ask = (audio, options, timeout)

    async def __aenter__(self) -> "_Stream":
        return self

    async def __aexit__(self, *exception: object) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[Segment]:
        await asyncio.sleep(self._server.seconds / 2)
        yield Segment(0.0, 1.0, "one", 0.5)
        await asyncio.sleep(self._server.seconds / 2)
        yield Segment(1.0, 2.0, "two", 0.5)


def transcript() -> Transcript:
    receipt = Receipt("fake", 0.25, 0.5, 0.75, batch_size=3, padding_ratio=0.125, tokens=7)
    return Transcript((), 2.0, receipt)
