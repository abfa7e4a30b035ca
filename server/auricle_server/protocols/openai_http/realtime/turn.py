"""One stream of a session: audio that the client ends, or that the detector cuts into items."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from contextlib import aclosing

from auricle_server.middleware.call import Call
from auricle_server.protocols.openai_http.realtime.inbox import TurnInbox
from auricle_server.protocols.openai_http.realtime.item import RealtimeItem
from auricle_server.protocols.openai_http.realtime.outbox import SessionOutbox
from auricle_server.protocols.openai_http.realtime.settings import RealtimeSettings
from auricle_server.protocols.openai_http.status import HttpFailure, failure_of
from auricle_server.service import SpeechService
from auricle_types.commands import END_UTTERANCE
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStarted,
    SpeechStopped,
)

PAUSE_SECONDS = 1.0  # after a failure, for a client whose audio does not stop


class RealtimeTurn(ABC):
    """Recognises audio and tells the events; it ends by itself once its audio does.

    Attributes:
        inbox: where the audio goes.
        seconds: how much audio was appended.
        failed: something went wrong, and no audio is recognised any more.
    """

    def __init__(self, settings: RealtimeSettings, inbox: TurnInbox, outbox: SessionOutbox) -> None:
        """Tell `outbox` what is said in the audio of `inbox`."""
        self.inbox = inbox
        self.seconds = 0.0
        self.failed = False
        self._settings = settings
        self._outbox = outbox

    async def append(self, audio: bytes) -> None:
        """Add audio in the format of the settings."""
        pcm = self._settings.pcm
        self.seconds += len(audio) / pcm.frame_bytes / pcm.sample_rate
        await self.inbox.put(audio)

    async def run(self, service: SpeechService, call: Call) -> None:
        """Recognise by `service` until the audio ends or something fails."""
        failure = None
        with service.recorded(call):
            try:
                async with aclosing(service.stream(self.inbox, call)) as events:
                    async for event in events:
                        await self._hear(event)
            except Exception as error:  # noqa: BLE001 - the last line of defence: it serves on
                failure = failure_of(error)
                call.fail(failure.name, failure.reason)
        self.inbox.drop()
        if failure is not None:
            self.failed = True
            await self._fail(failure)

    @abstractmethod
    async def commit(self) -> None:
        """End the open item now."""

    @abstractmethod
    async def _hear(self, event: Event) -> None: ...

    @abstractmethod
    async def _fail(self, failure: HttpFailure) -> None: ...


class ManualTurn(RealtimeTurn):
    """The audio of one item, which the client commits."""

    def __init__(self, settings: RealtimeSettings, inbox: TurnInbox, outbox: SessionOutbox) -> None:
        """Tell `outbox` what is said in the audio of `inbox`."""
        super().__init__(settings, inbox, outbox)
        self._item = RealtimeItem()
        self._committed = asyncio.Event()

    async def commit(self) -> None:
        """Tell that the item is committed; its transcript follows."""
        await self._outbox.committed(self._item)
        self._committed.set()
        self.inbox.close()

    async def _hear(self, event: Event) -> None:
        item, outbox = self._item, self._outbox
        match event:
            case Interim():
                await outbox.delta(item, item.heard(event.stable_text))
            case FinalSegment():
                await outbox.delta(item, item.add(event.segment))
            case FinalTranscript():
                logprobs = self._settings.has_logprobs
                await outbox.completed(item, event.transcript.duration, has_logprobs=logprobs)

    async def _fail(self, failure: HttpFailure) -> None:
        """Tell it once the client has committed: before, it knows no item."""
        await self._committed.wait()
        await self._outbox.failed(self._item, failure)


class DetectedTurn(RealtimeTurn):
    """Audio in which the detector finds the items; their times begin `before` seconds later."""

    def __init__(
        self, settings: RealtimeSettings, inbox: TurnInbox, outbox: SessionOutbox, before: float
    ) -> None:
        """Tell `outbox` what is said in `inbox`, `before` which the session had other audio."""
        super().__init__(settings, inbox, outbox)
        self._before = before
        self._items: deque[RealtimeItem] = deque()  # that have no transcript yet
        self._dropped = False

    async def commit(self) -> None:
        """End the open utterance, if somebody speaks."""
        await self.inbox.put(END_UTTERANCE)

    def clear(self) -> None:
        """Forget what is not yet committed."""
        self._dropped = True
        for item in self._items:
            item.dropped = not item.committed
        self.inbox.drop()

    async def _hear(self, event: Event) -> None:
        match event:
            case SpeechStarted():
                await self._start(event.at)
            case SpeechStopped() if self._items:
                await self._stop(self._items[-1], event.at)
            case Interim() if self._items:
                await self._tell(self._items[-1], self._items[-1].heard(event.stable_text))
            case FinalSegment() if self._items:
                await self._tell(self._items[0], self._items[0].add(event.segment))
            case EndOfUtterance() if self._items:
                await self._complete(self._items.popleft())

    async def _start(self, at: float) -> None:
        padding = self._settings.streaming.prefix_padding
        item = RealtimeItem(start=max(0.0, at - padding), dropped=self._dropped)
        self._items.append(item)
        if not item.dropped:
            at_ms = self._milliseconds(item.start)
            kind = "input_audio_buffer.speech_started"
            await self._outbox.say(kind, item_id=item.id, audio_start_ms=at_ms)

    async def _stop(self, item: RealtimeItem, at: float) -> None:
        item.end = at
        if not item.dropped:
            at_ms = self._milliseconds(at)
            kind = "input_audio_buffer.speech_stopped"
            await self._outbox.say(kind, item_id=item.id, audio_end_ms=at_ms)
            await self._outbox.committed(item)

    async def _tell(self, item: RealtimeItem, text: str) -> None:
        if not item.dropped:
            await self._outbox.delta(item, text)

    async def _complete(self, item: RealtimeItem) -> None:
        if not item.dropped:
            seconds, logprobs = item.end - item.start, self._settings.has_logprobs
            await self._outbox.completed(item, seconds, has_logprobs=logprobs)

    async def _fail(self, failure: HttpFailure) -> None:
        """Tell it of each item that waits for its transcript, or else by itself."""
        waiting = [item for item in self._items if item.committed]
        for item in waiting:
            await self._outbox.failed(item, failure)
        if not waiting:
            await self._outbox.error(failure)
        await asyncio.sleep(PAUSE_SECONDS)

    def _milliseconds(self, at: float) -> int:
        return round(1000 * (self._before + at))
