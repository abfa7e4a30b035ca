"""What the user sees: transcripts on the standard output, complaints and progress beside it."""

import sys
from collections.abc import Iterable
from typing import TypeVar

import click
from tqdm import tqdm

from auricle_cli.failure import complain
from auricle_cli.formats import Writer, shown
from auricle_cli.inputs import Source
from auricle_cli.outcomes import SourceOutcome
from auricle_cli.outputs import OutputSetup
from auricle_types.errors import StorageError
from auricle_types.transcript import Segment, gap

Item = TypeVar("Item")


class Display:
    """Shows each outcome as a whole, in the form that `writer` gives it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def segment(self, source: Source, segment: Segment) -> None:
        """A segment became final; nothing is shown before the rest is."""

    def finish(self, outcome: SourceOutcome) -> bool:
        """Show an outcome; True when there is a transcript."""
        with tqdm.external_write_mode():
            if outcome.transcript is None:
                complain(f"{outcome.source.name}: {outcome.error}")
                return False
            for warning in outcome.transcript.warnings:
                complain(f"{outcome.source.name}: warning: {warning}")
            self._show(outcome)
        return True

    def _show(self, outcome: SourceOutcome) -> None:
        if outcome.transcript is not None:
            click.echo(self._writer(outcome.source.name, outcome.transcript))


class LiveDisplay(Display):
    """Shows each segment's words at once; the finished line is what `writer` would have given."""

    def __init__(self, writer: Writer, *, labelled: bool) -> None:
        super().__init__(writer)
        self._labelled = labelled
        self._begun: Source | None = None
        self._last = ""  # words that were shown

    def segment(self, source: Source, segment: Segment) -> None:
        """Show its words behind those before it."""
        if segment.text:
            label = f"{shown(source.name)}\t" if self._labelled else ""
            between = gap(self._last, segment.text) if self._begun else label
            click.echo(between + segment.text, nl=False)
            self._begun, self._last = source, segment.text

    def finish(self, outcome: SourceOutcome) -> bool:
        """End the line, if one was begun."""
        if self._begun:
            click.echo()
        done = super().finish(outcome)
        self._begun = None
        return done

    def _show(self, outcome: SourceOutcome) -> None:
        if not self._begun:
            super()._show(outcome)


class FileDisplay(Display):
    """Writes each transcript to its files; the standard output stays empty."""

    def __init__(self, output: OutputSetup) -> None:
        self._output = output

    def finish(self, outcome: SourceOutcome) -> bool:
        """Write an outcome's files; True when they are there."""
        try:
            return super().finish(outcome)
        except StorageError as error:
            complain(f"{outcome.source.name}: {error}")
            return False

    def _show(self, outcome: SourceOutcome) -> None:
        if outcome.transcript is not None:
            self._output.write(outcome.source, outcome.transcript)


def progress(items: Iterable[Item], total: int) -> Iterable[Item]:
    """The items, for several under a bar on the standard error output, if that is a terminal."""
    hidden = total < 2 or not sys.stderr.isatty()
    return tqdm(items, total=total, unit="file", leave=False, disable=hidden)
