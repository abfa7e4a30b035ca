"""The bar that shows how much audio is done, how fast, and how long the rest takes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

from tqdm import tqdm

from auricle_cli.inputs import Source
from auricle_cli.outcomes import SourceOutcome

KNOWN = "{l_bar}{bar}| {audio} [{elapsed}<{remaining}, {speed}{postfix}]"
UNKNOWN = "{audio} [{elapsed}, {speed}{postfix}]"


class AudioBar(tqdm):  # type: ignore[type-arg]  # it iterates over nothing
    """A bar that counts seconds of audio."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """Add the audio that is done, of how much, and how many times faster than speech."""
        known = dict(super().format_dict)
        done = self.format_interval(known["n"])
        whole = f"/{self.format_interval(self.total)}" if self.total else ""
        rate = known["rate"] or (known["n"] / known["elapsed"] if known["elapsed"] else 0)
        return known | {"audio": f"{done}{whole} of audio", "speed": f"{rate:.1f}x"}


class AudioProgress:
    """Adds up what several inputs, on several threads, have done of their audio."""

    def __init__(self, sources: Sequence[Source], *, shown: bool) -> None:
        """Read the inputs' headers for their lengths, if it is `shown`."""
        self._lengths = _lengths(sources) if shown else {}
        whole = sum(self._lengths.values()) if len(self._lengths) == len(sources) else None
        form = KNOWN if whole else UNKNOWN
        self._bar = AudioBar(total=whole, bar_format=form, leave=False, disable=not shown)
        self._reached: dict[Source, float] = {}
        self._changing = Lock()
        self._count, self._finished = len(sources), 0

    def of(self, source: Source) -> Callable[[float], None]:
        """Return what takes the seconds of `source` that are done."""
        return lambda seconds: self._reach(source, seconds)

    def finish(self, outcome: SourceOutcome) -> None:
        """Count the whole of an input, its silence at the end too, or one that failed."""
        source = outcome.source
        self._finished += 1
        if self._count > 1:
            self._bar.set_postfix_str(f"{self._finished}/{self._count} files", refresh=False)
        spoken = outcome.transcript.duration if outcome.transcript else 0.0
        self._reach(source, self._lengths.get(source, spoken))

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def _reach(self, source: Source, seconds: float) -> None:
        """Pieces may come out of order: the one that ends last counts."""
        with self._changing:
            more = seconds - self._reached.get(source, 0.0)
            if more > 0:
                self._reached[source] = seconds
                self._bar.update(more)


def _lengths(sources: Sequence[Source]) -> dict[Source, float]:
    """Return the lengths that files state, up to the first that states none."""
    from auricle.audio.length import stated_seconds  # late: a client of a server does without

    lengths: dict[Source, float] = {}
    for source in sources:
        seconds = None
        with suppress(OSError):
            if source.path is not None:
                with source.path.open("rb") as file:
                    seconds = stated_seconds(file)
        if seconds is None:
            break
        lengths[source] = seconds
    return lengths
