"""Captions: the words while they are spoken, which settle in place on a terminal."""

from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from auricle_types.events import EndOfUtterance, Event, FinalSegment, Interim
from auricle_types.transcript import Segment


class Captions(Protocol):
    """Shows events; a context manager."""

    def show(self, event: Event) -> None:
        """Show what an event says, if anything."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class PlainCaptions:
    """Prints a line for each segment that is final."""

    def show(self, event: Event) -> None:
        """Print the words of a final segment."""
        if isinstance(event, FinalSegment) and event.segment.text:
            click.echo(_line(event.segment))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TerminalCaptions:
    """Shows the open utterance in the last line, where its words settle.

    Stable words are bright, the others dim. A final segment moves up, and stays.
    """

    def __init__(self, console: Console) -> None:
        """Show the captions on `console`."""
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def show(self, event: Event) -> None:
        """Show an interim result in the last line, a final segment above it."""
        if isinstance(event, Interim):
            self._live.update(_open(event), refresh=True)
        elif isinstance(event, FinalSegment):
            self._live.update("", refresh=True)
            if event.segment.text:
                self._live.console.print(Text(_line(event.segment)))
        elif isinstance(event, EndOfUtterance):  # which may have had no words in the end
            self._live.update("", refresh=True)

    def __enter__(self) -> Self:
        self._live.start(refresh=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def new_captions() -> Captions:
    """Make the captions that the standard output can show."""
    console = Console(highlight=False)
    return TerminalCaptions(console) if console.is_terminal else PlainCaptions()


def _line(segment: Segment) -> str:
    return f"[{_clock(segment.start)}] {segment.text}"


def _open(interim: Interim) -> Text:
    stable = len(interim.stable_text)
    return Text.assemble(
        f"[{_clock(interim.start)}] ",
        interim.text[:stable],
        (interim.text[stable:], "dim italic"),
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes):02}:{rest:04.1f}"
