import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.transcript import Receipt, Segment, Transcript
from benchmarks.accuracy import by_length, main, muted
from benchmarks.corpora import Corpus
from benchmarks.peers import kept
from benchmarks.recordings import SAMPLES
from tests.benchmarks.test_tapes import corpus


def answer(text: str, *guards: str) -> Transcript:
    return Transcript((Segment(0.0, 1.0, text, 0.5),), 1.0, Receipt("m", guards=guards))


def test_utterances_without_words_are_counted_and_guards() -> None:
    answers = [answer("a"), answer("", "silence"), answer(""), answer("b", "rate")]
    assert muted(answers) == {"wordless": 2, "silence": 1, "rate": 1}


def test_lengths_have_their_own_scores() -> None:
    speech = corpus(1.0, 3.0, 4.0)
    found = dict(by_length(speech, ["word0", "no", "word2"]))
    rates = [each and each["wer"]["value"] for each in found.values()]
    assert list(found)[:2] == ["0 to 2 s", "2 to 5 s"]
    assert rates == [0.0, 0.5, None, None]


@pytest.mark.slow
def test_a_smoke_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier: list[object] = []

    def peer(corpora: list[Corpus], rows: object) -> None:
        earlier.append(rows)

    monkeypatch.setattr(kept, "heard", peer)
    output = tmp_path / "accuracy.json"
    output.write_text(json.dumps({"pocketsphinx": {"kept": {"key": {}}}}))
    arguments = [str(SAMPLES / "manifest.jsonl"), "--quick", "--threads", "1"]
    done = CliRunner().invoke(main, [*arguments, "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert earlier == [{"key": {}}]
    result = json.loads(output.read_text())
    assert result["pocketsphinx"] is None
    assert "not installed" in done.output
    assert set(result["conditions"]["manifest"]) >= {"clean", "noise 0 dB", "telephone"}
    assert set(result["ways"]) >= {"float32, greedy", "bfloat16, beam 4", "int8, beam 4"}
    assert result["long_audio"]["manifest"]["joined"]["words"] > 0
    assert all(words >= 0 for words in result["invented"].values())
    assert set(result["rtfx"]) == {"1 core"}
