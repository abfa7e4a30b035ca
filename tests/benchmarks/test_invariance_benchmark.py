import json
from concurrent.futures import Future
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from click.testing import CliRunner

from auricle.config import SAMPLE_RATE
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt, Segment
from benchmarks.invariance import BEAMS, DTYPES, alone, answers, different, main, utterances

WAVEFORMS = [np.full(length, 0.1, np.float32) for length in (800, 1600, 2400, 3200)]


class Fake:
    """Says how long it heard; with `shy`, other words once it was asked more often than that."""

    def __init__(self, shy: int = 1_000_000) -> None:
        self.asked: list[tuple[int, int]] = []  # samples, beam
        self.shy = shy

    def submit(
        self, piece: Piece, options: DecodingOptions, *, block: bool = False
    ) -> Future[Recognition]:
        self.asked.append((len(piece.samples), options.beam_size))
        text = f"{len(piece.samples)}{' no' if len(self.asked) > self.shy else ''}"
        future: Future[Recognition] = Future()
        future.set_result(Recognition((Segment(0.0, 1.0, text, 0.5),), Receipt("fake")))
        return future

    @property
    def recognizer(self) -> Recognizer:
        return cast(Recognizer, self)


def test_utterances_differ_and_can_be_had_again() -> None:
    found = utterances(12)
    assert len({len(each) for each in found}) == 12
    assert all(0.5 * SAMPLE_RATE <= len(each) <= 12 * SAMPLE_RATE for each in found)
    assert all(each.dtype == np.float32 for each in found)
    again = utterances(12)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


def test_answers_come_in_the_waveforms_order_with_their_beams() -> None:
    fake = Fake()
    found = answers(fake.recognizer, WAVEFORMS, [2, 0, 3, 1])
    assert found == [("800", 0.5), ("1600", 0.5), ("2400", 0.5), ("3200", 0.5)]
    assert fake.asked == [(2400, BEAMS[2]), (800, BEAMS[0]), (3200, BEAMS[3]), (1600, BEAMS[1])]
    assert alone(fake.recognizer, WAVEFORMS) == found


def test_differences_are_counted() -> None:
    assert different(Fake().recognizer, WAVEFORMS, orders=3)[0] == 0
    found, words = different(Fake(shy=6).recognizer, WAVEFORMS, orders=2)
    assert found == 4 + 2  # four were asked alone, two more before it grew shy
    assert words == ["800", "1600", "2400", "3200"]


@pytest.mark.slow
def test_a_smoke_run(tmp_path: Path) -> None:
    output = tmp_path / "invariance.json"
    done = CliRunner().invoke(main, ["--quick", "--output", str(output)])
    assert done.exit_code == 0, done.output
    rates = json.loads(output.read_text())["rates"]
    assert {rate["dtype"] for rate in rates} == set(DTYPES)
    assert [rate["different"] for rate in rates] == [0] * len(rates)
