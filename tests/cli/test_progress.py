"""The bar of audio: what is done of what the files state."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auricle_cli.inputs import Source
from auricle_cli.outcomes import SourceOutcome
from auricle_cli.progress import AudioProgress
from auricle_types.transcript import Receipt, Transcript


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    made = []
    for name, seconds in (("a.wav", 60), ("b.flac", 30), ("c.ogg", 30)):
        soundfile.write(tmp_path / name, np.zeros(seconds * 8000, np.float32), 8000)
        made.append(Source(str(tmp_path / name)))
    return made


Captured = pytest.CaptureFixture[str]


def test_the_audio_of_all_inputs_counts(sources: list[Source], capsys: Captured) -> None:
    progress = AudioProgress(sources, shown=True)
    progress.of(sources[0])(30.0)
    progress.of(sources[1])(24.0)
    progress.of(sources[0])(18.0)  # an earlier piece that ends later
    assert "54/02:00 of audio" in str(progress._bar)
    assert " 45%" in str(progress._bar)
    progress.finish(SourceOutcome(sources[0], Transcript((), 60.0, Receipt("m"))))
    progress.finish(SourceOutcome(sources[1], error="not audio"))
    assert "01:30/02:00 of audio" in str(progress._bar)
    assert "2/3 files" in str(progress._bar)
    progress.close()
    assert "of audio" in capsys.readouterr().err


def test_a_length_that_is_not_stated_leaves_the_whole_out(sources: list[Source]) -> None:
    broken = Path(sources[1].name)
    broken.write_bytes(b"no audio")
    progress = AudioProgress(sources, shown=True)
    progress.of(sources[0])(30.0)
    progress.finish(SourceOutcome(sources[2], Transcript((), 30.0, Receipt("m"))))
    assert str(progress._bar).startswith("01:00 of audio [")
    progress.close()


def test_nothing_is_shown_or_read_without_a_terminal(capsys: Captured) -> None:
    missing = Source("missing.wav")
    progress = AudioProgress([missing], shown=False)
    progress.of(missing)(1.0)
    progress.finish(SourceOutcome(missing, error="gone"))
    progress.close()
    assert capsys.readouterr().err == ""
