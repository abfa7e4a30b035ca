import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle_types.transcript import Receipt, Segment, Transcript
from benchmarks import beside, readers, single
from benchmarks.accuracy import by_length, main, muted, weights
from benchmarks.peers.real import ONE_BY_ONE
from benchmarks.recordings import SAMPLES
from tests.benchmarks.fakes import here, says
from tests.benchmarks.test_accuracy_tables import COLD
from tests.benchmarks.test_tapes import corpus

pytest.importorskip("whisper_normalizer", reason="whisper-normalizer is not installed")


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
    monkeypatch.setattr(readers, "Elsewhere", here)
    monkeypatch.setattr(beside, "WHISPER", {ONE_BY_ONE: says("two boys")})
    monkeypatch.setattr(beside, "_tiny_en", lambda: "nowhere")
    monkeypatch.setattr(single, "cold", lambda *_: COLD)
    output = tmp_path / "accuracy.json"
    arguments = [str(SAMPLES / "manifest.jsonl"), "--quick", "--threads", "1"]
    done = CliRunner().invoke(main, [*arguments, "--output", str(output)])
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text())
    found = result["readers"]["manifest"]
    assert ONE_BY_ONE in found
    assert "auricle int8" in found
    assert "boys" not in output.read_text()  # no word that was read is kept
    assert result["clip"]["seconds"].keys() == {next(iter(found)), ONE_BY_ONE}
    assert set(result["conditions"]["manifest"]) >= {"clean", "noise 0 dB", "telephone"}
    assert set(result["ways"]) >= {"float32, greedy", "bfloat16, beam 4", "int8, beam 4"}
    assert result["long_audio"]["manifest"]["joined"]["words"] > 0
    assert all(words >= 0 for words in result["invented"].values())


def test_weights_of_a_folder_are_all_its_files_and_no_path(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    first = weights(str(tmp_path))
    assert (first["name"], first["bytes"]) == (tmp_path.name, 7)
    (tmp_path / "config.json").write_bytes(b"{}")
    assert weights(str(tmp_path))["sha256"] != first["sha256"]
