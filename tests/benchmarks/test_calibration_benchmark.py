import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from auricle.checkpoint import load_checkpoint
from auricle.config import Calibration
from benchmarks.calibration import figures, half, main
from benchmarks.calibration_tables import tables
from benchmarks.plots import plot_reliability
from benchmarks.recordings import SAMPLES
from benchmarks.reliability import Judged, bins, calibrated, expected_error, fitted
from tests.asr.tiny import write_tiny_checkpoint

TRUE = Calibration(2.0, 1.0)


def answers(seed: int = 0, count: int = 3_000) -> list[Judged]:
    """Whose words are right as often as `TRUE` says."""
    random = np.random.default_rng(seed)
    found = []
    for confidence in random.uniform(0.02, 0.98, count):
        right = random.binomial(10, TRUE.confidence(confidence))
        found.append(Judged(confidence, 10, int(right)))
    return found


def calibration_figures() -> dict[str, Any]:
    return figures("bundled", Calibration(2.0, -1.0), (answers(0, 50), answers(1, 50)))


def test_the_truth_is_found_again() -> None:
    found = fitted(answers())
    assert found.slope == pytest.approx(TRUE.slope, abs=0.1)
    assert found.offset == pytest.approx(TRUE.offset, abs=0.1)


def test_calibration_takes_the_error_away() -> None:
    before = expected_error(answers(1))
    after = expected_error(calibrated(answers(1), fitted(answers(0))))
    assert before > 0.1
    assert after < 0.02


def test_where_all_is_right_there_is_still_an_answer() -> None:
    found = fitted([Judged(0.5, 3, 3), Judged(0.9, 1, 1)])
    assert found.confidence(0.5) > 0.99


def test_without_words_there_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="no words"):
        fitted([Judged(0.5, 0, 0)])


def test_the_error_by_hand() -> None:
    """4 words at 0.25 of which 2 are right, 1 at 1.0 that is right; an answer without words."""
    found = [Judged(0.2, 2, 1), Judged(0.3, 2, 1), Judged(1.0, 1, 1), Judged(0.9, 0, 0)]
    assert [each.words for each in bins(found)] == [2, 2, 1]
    assert expected_error(found) == pytest.approx((2 * 0.3 + 2 * 0.2) / 5)
    assert expected_error([]) == 0.0


def test_the_halves_stay_the_same() -> None:
    assert [half(f"{number}.wav") for number in range(8)] == [1, 0, 0, 0, 0, 0, 1, 0]


def test_tables_and_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = calibration_figures()
    text = "\n".join(tables(found))
    assert "Slope 2, offset -1, fitted on 50 utterances (500 words read)" in text
    assert "before calibration" in text
    plot_reliability(found, tmp_path / "images" / "reliability.png")
    assert (tmp_path / "images" / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_the_parameters_go_into_a_checkpoint(tmp_path: Path) -> None:
    checkpoint, output = write_tiny_checkpoint(tmp_path), tmp_path / "calibration.json"
    arguments = [str(SAMPLES / "manifest.jsonl"), "--quick", "--threads", "1"]
    files = ["--output", str(output), "--write", str(checkpoint)]
    done = CliRunner().invoke(main, [*arguments, *files])
    assert done.exit_code == 0, done.output
    found = json.loads(output.read_text())
    written = load_checkpoint(checkpoint).model.config.calibration
    assert written == Calibration(**found["calibration"]) != Calibration()
    assert found["beam"] == 1
    assert 0 <= found["after"]["ece"] <= 1
    assert found["fitted_on"]["utterances"] + found["judged_on"]["utterances"] == 8
