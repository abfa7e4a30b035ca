"""An interrupted input goes on where it was: only new pieces are recognised."""

import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_cli.journal import resuming
from auricle_types.transcript import Receipt, Segment, Word

IDENTITY = {"bytes": 3, "options": {"beam": 1, "path": Path("m")}}
PIECES = [Piece(i / 3, np.zeros(100 + i, np.float32)) for i in range(5)]


def found(piece: Piece) -> Recognition:
    words = (Word(piece.start, piece.end, "犬", 0.1 + 0.2),)
    segment = Segment(piece.start, piece.end, "犬", 1 / 3, words, "ja")
    receipt = Receipt("m", 0.1, 0.2, 0.3, 4, 0.5, 6, ("rate",))
    return Recognition((segment,), receipt, 0.25, ("some words are missing",))


class Recorder:
    """Recognises at once, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Piece] = []

    def __call__(self, piece: Piece) -> Future[Recognition]:
        self.asked.append(piece)
        future: Future[Recognition] = Future()
        future.set_result(found(piece))
        return future


def run(path: Path, pieces: list[Piece], identity: dict[str, Any] = IDENTITY) -> list[Piece]:
    """Recognise pieces and check the answers; returns those that were not in the journal."""
    recorder = Recorder()
    with resuming(path, recorder, identity) as journal:
        assert [journal.submit(piece).result() for piece in pieces] == list(map(found, pieces))
    return recorder.asked


def test_only_new_pieces_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.partial.jsonl"
    assert run(path, PIECES[:2]) == PIECES[:2]
    assert run(path, PIECES[:4]) == PIECES[2:4]
    assert run(path, PIECES) == PIECES[4:]
    assert run(path, PIECES) == []


def test_another_audio_or_other_options_begin_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.partial.jsonl"
    run(path, PIECES)
    assert run(path, PIECES, {**IDENTITY, "bytes": 4}) == PIECES
    assert run(path, PIECES) == PIECES
    path.write_text("no journal\n")
    assert run(path, PIECES) == PIECES


def test_a_piece_of_another_length_is_another(tmp_path: Path) -> None:
    path = tmp_path / "a.partial.jsonl"
    run(path, PIECES[:1])
    longer = Piece(PIECES[0].start, np.zeros(99, np.float32))
    assert run(path, [longer]) == [longer]


@pytest.mark.parametrize("lost", [1, 5, 200])
def test_a_line_that_was_not_written_to_its_end_is_dropped(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a.partial.jsonl"
    run(path, PIECES[:3])
    path.write_bytes(path.read_bytes()[:-lost])
    assert run(path, PIECES) == PIECES[2:]
    assert run(path, PIECES) == []
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 1 + len(PIECES)


def test_what_failed_or_came_too_late_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.partial.jsonl"
    futures: list[Future[Recognition]] = [Future() for _ in range(3)]
    waiting = iter(futures)
    with resuming(path, lambda _: next(waiting), IDENTITY) as journal:
        for piece in PIECES[:3]:
            journal.submit(piece)
        futures[0].cancel()
        futures[1].set_exception(ValueError())
    futures[2].set_result(found(PIECES[2]))
    assert run(path, PIECES[:3]) == PIECES[:3]


def test_a_disk_that_is_full_ends_the_journal_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.partial.jsonl"
    run(path, PIECES[:1])
    monkeypatch.setattr("auricle_cli.journal._write", full)
    assert run(path, PIECES) == PIECES[1:]
    assert capsys.readouterr().err == (
        "auricle: an interrupted run cannot be resumed: the journal: No space left on device\n"
    )
