import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.accuracy import interval, main, score
from benchmarks.recordings import SAMPLES


def test_a_score_counts_words_after_normalisation() -> None:
    found = score(["a b c d", "e"], ["A, b x d", "e f"])
    assert (found.utterances, found.words, found.wer) == (2, 5, 0.4)
    assert found.low <= found.wer <= found.high


def test_the_interval_is_narrow_where_all_utterances_are_alike() -> None:
    low, high = interval([1] * 50, [10] * 50)
    assert low == high == pytest.approx(0.1)
    low, high = interval([0] * 25 + [10] * 25, [10] * 50)
    assert low < 0.4
    assert high > 0.6


def test_one_utterance_says_nothing_of_others() -> None:
    assert interval([1], [2]) == (0.0, 1.0)


def test_a_smoke_run_without_pocketsphinx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    output = tmp_path / "accuracy.json"
    arguments = [str(SAMPLES / "manifest.jsonl"), "--quick", "--threads", "1"]
    done = CliRunner().invoke(main, [*arguments, "--output", str(output)])
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text())
    assert result["pocketsphinx"] is None
    assert "not installed" in done.output
    assert set(result["conditions"]["manifest"]) >= {"clean", "noise 0 dB", "telephone"}
    assert set(result["ways"]) >= {"float32, greedy", "bfloat16, beam 4"}
    assert all(words >= 0 for words in result["invented"].values())
    assert result["rtfx"]["1 threads"] > 0
