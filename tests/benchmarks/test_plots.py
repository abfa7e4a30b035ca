import sys
from pathlib import Path

import pytest

from benchmarks.plots import WORDS, plot

CURVES = {
    "length": [
        {"audio_seconds": 1.0, "seconds": 0.1, "peak_mib": 10.0},
        {"audio_seconds": 2.0, "seconds": 0.2, "peak_mib": 11.0},
    ],
    "requests": [{"requests": 1.0, "resident_mib": 9.0}],
}


def test_each_curve_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    paths = plot(CURVES, tmp_path / "images")
    assert [path.name for path in paths] == ["growth-length.png", "growth-requests.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_without_matplotlib_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert plot(CURVES, tmp_path) == []
    assert "no plots" in capsys.readouterr().out


def test_every_axis_has_words() -> None:
    keys = {key for points in CURVES.values() for point in points for key in point}
    assert keys <= WORDS.keys()
