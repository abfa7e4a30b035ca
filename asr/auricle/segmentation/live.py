"""Cuts a live stream, and tells what happens to the utterance that is open."""

import threading
from typing import TypeAlias

from auricle.audio import Samples
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import Vad
from auricle_types.events import EndOfUtterance, SpeechStarted, SpeechStopped
from auricle_types.options import StreamingOptions

Item: TypeAlias = Piece | SpeechStarted | SpeechStopped | EndOfUtterance


class LiveSegmenter:
    """Cuts one stream by `Segmenter` into pieces, drafts of open pieces, and events, in order.

    Attributes:
        done: nothing more is wanted: the single utterance has ended, or nobody began to speak.
    """

    def __init__(
        self, window_seconds: float, options: StreamingOptions, *, vad: Vad | None = None
    ) -> None:
        """Cut for a model of `window_seconds`. Raises InvalidOptionError as `Segmenter` does."""
        self._segmenter = Segmenter(
            min(window_seconds, options.max_utterance or window_seconds),
            close_silence=options.end_silence,
            lead=options.prefix_padding,
            threshold=options.speech_threshold,
            vad=vad,
        )
        self.done = False
        self._options = options
        self._is_plain = not (
            options.interim_results or options.voice_activity or options.single_utterance
        )
        self._lock = threading.Lock()  # `keep_together` comes from another thread
        self._spoken: tuple[float, float] | None = None  # of the open utterance, once it is one
        self._drafted = (0.0, 0.0)  # how far the last draft went, and the speech in it

    def feed(self, samples: Samples) -> list[Item]:
        """Take samples `(S,)`; return what is complete, and a draft where one is due."""
        with self._lock:
            items = self._told(self._segmenter.feed(samples))
            return items if self.done else [*items, *self._drafts()]

    def end_utterance(self) -> list[Item]:
        """End the open utterance now."""
        with self._lock:
            return self._told(self._segmenter.end_utterance(), ended=True)

    def flush(self) -> list[Item]:
        """Return what is left at the end of the stream."""
        with self._lock:
            return self._told(self._segmenter.flush(), ended=True)

    def keep_together(self, start: float, until: float) -> bool:
        """Promise not to cut the piece that begins at `start` before `until`; from any thread."""
        with self._lock:
            return self._segmenter.keep_together(start, until)

    def _told(self, pieces: list[Piece], *, ended: bool = False) -> list[Item]:
        if self._is_plain:  # nobody asks for more
            return [*pieces]
        items: list[Item] = []
        for piece in pieces:
            items += self._started(piece.spoken if piece.speech else None)
            items += self._ended(piece) if piece.closed else [piece]
        spoken = self._segmenter.spoken
        items += self._started(spoken)
        if self._spoken is not None and spoken is None and (ended or self._segmenter.is_over):
            items += self._ended(None)  # it was cut before, and nothing more was said
        return self._wanted(items)

    def _started(self, spoken: tuple[float, float] | None) -> list[Item]:
        """Follow the speech of an utterance; tell when it is a new one."""
        before = self._spoken
        self._spoken = spoken or before
        return [SpeechStarted(spoken[0])] if spoken is not None and before is None else []

    def _ended(self, piece: Piece | None) -> list[Item]:
        """Tell that the utterance is over, which `piece` ends."""
        pieces: list[Item] = [piece] if piece is not None else []
        if self._spoken is None:
            return pieces
        at, self._spoken = self._spoken[1], None
        return [SpeechStopped(at), *pieces, EndOfUtterance(at)]

    def _wanted(self, items: list[Item]) -> list[Item]:
        """Leave out what nobody asked for, and all behind a single utterance."""
        if self._options.single_utterance:
            items = self._until_the_end(items)
        if self._options.voice_activity:
            return items
        return [item for item in items if isinstance(item, Piece)]

    def _until_the_end(self, items: list[Item]) -> list[Item]:
        if self.done:
            return []
        ends = [place for place, item in enumerate(items) if isinstance(item, EndOfUtterance)]
        patience = self._options.start_silence
        heard = self._spoken is not None or bool(items)
        self.done = bool(ends) or (
            patience is not None
            and not heard
            and self._segmenter.is_idle
            and self._segmenter.reached >= patience
        )
        return items[: ends[0] + 1] if ends else items

    def _drafts(self) -> list[Item]:
        """Copy the open piece, if that is due and more was said in it since the last time."""
        if not self._options.interim_results:
            return []
        spoken, reached = self._segmenter.spoken, self._segmenter.reached
        if spoken is None:
            return []
        last_reached, last_spoken = self._drafted
        since = reached - max(last_reached, spoken[0])
        if since < self._options.interim_interval or spoken[1] <= last_spoken:
            return []
        self._drafted = reached, spoken[1]
        return [self._segmenter.draft()]
