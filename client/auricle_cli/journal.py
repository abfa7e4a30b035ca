"""The journal of an unfinished input: what its pieces were recognised as, a line for each.

An input that is begun again is read and cut again, which takes little time beside recognition
and gives the same pieces. Those in the journal are not recognised again, so the transcript is the
one that a run without interruption gives.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_cli.failure import complain
from auricle_types.parsing import parse_json
from auricle_types.transcript import Alternative, Receipt, Segment, Word

Submit: TypeAlias = Callable[[Piece], Future[Recognition]]
Place: TypeAlias = tuple[int, float, int]  # a piece's channel, start in seconds, and samples


class ChannelSubmit(Protocol):
    """Takes pieces of several channels for recognition."""

    def __call__(self, piece: Piece, channel: int = 0) -> Future[Recognition]:
        """Recognise a piece of a channel, from 0."""
        ...


class PieceJournal:
    """Recognises pieces, or finds them among those of an earlier run. Made by `resuming`."""

    def __init__(
        self, file: BinaryIO, submit: Submit, known: dict[Place, Recognition] | None = None
    ) -> None:
        """Ask `submit` for what is not `known`, and add it to `file`."""
        self._file: BinaryIO | None = file
        self._submit = submit
        self._known = known or {}
        self.pieces = len(self._known)  # that the file holds
        self._writing = threading.Lock()

    def submit(self, piece: Piece, channel: int = 0) -> Future[Recognition]:
        """Return the recognition of `piece`; a new one is written down once it is there."""
        place = (channel, piece.start, len(piece.samples))
        if place in self._known:
            known: Future[Recognition] = Future()
            known.set_result(self._known.pop(place))
            return known
        future = self._submit(piece)
        future.add_done_callback(lambda done: self._keep(place, done))
        return future

    def close(self) -> None:
        """Write no more, whatever is recognised later."""
        with self._writing:
            self._file = None

    def _keep(self, place: Place, done: Future[Recognition]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        entry = {"place": place, "found": asdict(done.result())}
        with self._writing:
            if self._file is None:
                return
            try:
                _write(self._file, entry)
                self.pieces += 1
            except OSError as error:
                self._file = None
                complain(f"an interrupted run cannot be resumed: the journal: {error.strerror}")


@contextmanager
def resuming(path: Path, submit: Submit, identity: dict[str, Any]) -> Iterator[PieceJournal]:
    """Open the journal at `path`; what it does not hold it gets from `submit`.

    The file stays, unless it holds nothing.

    A journal that was begun with another `identity`, of audio, model and options, begins anew.
    Raises OSError when the file cannot be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with path.open("r+b") as file:
        known, end = _known(file.read(), identity)
        file.truncate(end)
        file.seek(end)
        if not end:
            _write(file, identity)
        journal = PieceJournal(file, submit, known)
        try:
            yield journal
        finally:
            journal.close()
            if not journal.pieces:
                path.unlink(missing_ok=True)


def _known(content: bytes, identity: dict[str, Any]) -> tuple[dict[Place, Recognition], int]:
    """Return the pieces that were written to their end, and where the last of them ends."""
    entries = _entries(content)
    end, first = next(entries, (0, None))
    if first != json.loads(_line(identity)):
        return {}, 0
    known: dict[Place, Recognition] = {}
    for end, entry in entries:  # noqa: B007  # the last one counts
        channel, start, samples = entry["place"]
        known[channel, start, samples] = _recognition(entry["found"])
    return known, end


def _entries(content: bytes) -> Iterator[tuple[int, Any]]:
    """Yield where each line ends and what it says, up to one that was not written to its end."""
    end = 0
    for line in content.splitlines(keepends=True):
        end += len(line)
        try:
            entry = parse_json(line)
        except ValueError:
            return
        if line.endswith(b"\n"):
            yield end, entry


def _recognition(found: dict[str, Any]) -> Recognition:
    segments = tuple(
        Segment(
            **each
            | {
                "words": tuple(Word(**word) for word in each["words"]),
                "alternatives": tuple(Alternative(**other) for other in each["alternatives"]),
            }
        )
        for each in found["segments"]
    )
    receipt = Receipt(**{**found["receipt"], "guards": tuple(found["receipt"]["guards"])})
    return Recognition(segments, receipt, found["overlap"], tuple(found["warnings"]))


def _write(file: BinaryIO, entry: dict[str, Any]) -> None:
    file.write(_line(entry))
    file.flush()


def _line(entry: dict[str, Any]) -> bytes:
    return f"{json.dumps(entry, default=str)}\n".encode()
