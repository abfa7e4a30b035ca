"""A corpus of tar shards: decoded once, read from memory, missing parts named."""

import json
from pathlib import Path

import numpy as np
import pytest

from auricle.training.corpus import Corpus, open_corpus
from auricle_types.errors import ManifestError
from tests.asr.tiny import SENTENCES
from tests.asr.training.runs import UTTERANCES, encode, utterance, write_corpus, write_shard


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "speech")


def texts(corpus: Corpus) -> dict[str, np.ndarray]:
    return {u.text: corpus.samples(u) for u in corpus.utterances}


def test_every_utterance_is_there_with_its_samples(manifest: Path, tmp_path: Path) -> None:
    found = texts(open_corpus(manifest, tmp_path / "cache"))
    assert sorted(found) == sorted(SENTENCES)
    for index, sentence in enumerate(SENTENCES):
        exact = np.rint(utterance(index) * 32768) / 32768  # 16 bits, once
        np.testing.assert_allclose(found[sentence], exact, atol=1.01 / 32768)
        assert found[sentence].dtype == np.float32


def test_sixteen_bits_survive_exactly(tmp_path: Path) -> None:
    pcm = np.array([-32768, -32767, -1, 0, 1, 12345, 32767] * 100, np.int16)
    floats = (pcm / 32768).astype(np.float32)
    write_shard(tmp_path / "0.tar", {"a.wav": encode(floats, "wav")})
    row = {"audio_filepath": "a.wav", "text": "a", "shard": "0.tar"}
    (tmp_path / "train.jsonl").write_text(json.dumps(row))
    corpus = open_corpus(tmp_path / "train.jsonl", tmp_path / "cache")
    np.testing.assert_array_equal(corpus.samples(corpus.utterances[0]) * 32768, pcm)


def test_durations_are_those_of_the_samples(manifest: Path, tmp_path: Path) -> None:
    corpus = open_corpus(manifest, tmp_path / "cache")
    assert len(corpus.utterances) == UTTERANCES
    for found in corpus.utterances:
        assert found.seconds == pytest.approx(
            len(utterance(SENTENCES.index(found.text))) / 16_000, abs=1e-4
        )


def test_it_is_decoded_once(manifest: Path, tmp_path: Path) -> None:
    first = texts(open_corpus(manifest, tmp_path / "cache"))
    for shard in manifest.parent.glob("*.tar"):
        shard.unlink()
    again = texts(open_corpus(manifest, tmp_path / "cache"))
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[text], again[text]) for text in first)


def test_half_a_decoding_is_begun_again(manifest: Path, tmp_path: Path) -> None:
    shard = manifest.parent / "1.tar"
    data = shard.read_bytes()
    shard.write_bytes(data[: len(data) // 2])
    with pytest.raises(ManifestError, match=r"1\.tar"):
        open_corpus(manifest, tmp_path / "cache")
    shard.write_bytes(data)
    assert len(texts(open_corpus(manifest, tmp_path / "cache"))) == UTTERANCES


def test_a_missing_shard_is_named(manifest: Path, tmp_path: Path) -> None:
    (manifest.parent / "0.tar").unlink()
    with pytest.raises(ManifestError, match=r"0\.tar"):
        open_corpus(manifest, tmp_path / "cache")


def test_a_missing_utterance_is_named(manifest: Path, tmp_path: Path) -> None:
    row = {"audio_filepath": "part/99.wav", "text": "lost", "shard": "0.tar"}
    manifest.write_text(manifest.read_text() + json.dumps(row) + "\n")
    with pytest.raises(ManifestError, match=r"0\.tar holds no part/99\.wav"):
        open_corpus(manifest, tmp_path / "cache")


@pytest.mark.parametrize(
    "line", ["no json", "[]", '"text"', '{"audio_filepath": "a.wav", "text": "a"}', "3"]
)
def test_a_bad_manifest_is_named(manifest: Path, tmp_path: Path, line: str) -> None:
    manifest.write_text(manifest.read_text() + line + "\n")
    with pytest.raises(ManifestError, match=r"train\.jsonl"):
        open_corpus(manifest, tmp_path / "cache")


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nothing\.jsonl"):
        open_corpus(tmp_path / "nothing.jsonl", tmp_path / "cache")


def test_an_empty_manifest(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text("")
    with pytest.raises(ManifestError, match=r"train\.jsonl: holds no utterances"):
        open_corpus(tmp_path / "train.jsonl", tmp_path / "cache")


def add_row(manifest: Path, name: str, text: str = "more", shard: str = "2.tar") -> None:
    row = {"audio_filepath": name, "text": text, "shard": shard}
    manifest.write_text(manifest.read_text() + json.dumps(row) + "\n")


def test_a_shard_cut_short_gives_what_it_holds(
    manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shard = manifest.parent / "1.tar"
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    found = texts(open_corpus(manifest, tmp_path / "cache", "skip"))
    assert UTTERANCES // 2 < len(found) < UTTERANCES
    lost = UTTERANCES - len(found)
    (message,) = caplog.messages
    assert "shard missing or cut short: 1 (1.tar: unexpected end of data)" in message
    assert f"audio missing: {lost} (1.tar holds no part/" in message
    for text, samples in found.items():
        assert len(samples) == len(utterance(SENTENCES.index(text)))  # none of them is cut


def test_what_was_skipped_is_reported_each_time(
    manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_row(manifest, "part/99.wav", shard="0.tar")
    for _ in range(2):
        assert len(open_corpus(manifest, tmp_path / "cache", "skip").utterances) == UTTERANCES
    assert len(caplog.messages) == 2
    assert caplog.messages[0] == caplog.messages[1]
    assert "audio missing: 1 (0.tar holds no part/99.wav)" in caplog.messages[0]


def test_to_stop_is_to_look_again(manifest: Path, tmp_path: Path) -> None:
    """A cache made by skipping does not hide what is wrong, nor that it was mended."""
    add_row(manifest, "part/99.wav")
    cache = tmp_path / "cache"
    open_corpus(manifest, cache, "skip")
    with pytest.raises(ManifestError, match=r"2\.tar"):
        open_corpus(manifest, cache, "stop")
    write_shard(manifest.parent / "2.tar", {"part/99.wav": encode(utterance(0), "wav")})
    assert len(open_corpus(manifest, cache, "stop").utterances) == UTTERANCES + 1


def test_audio_that_cannot_be_heard_whole_is_named(
    manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = encode(utterance(0), "wav")
    members = {"noise.wav": b"no audio at all", "cut.wav": good[:20_000], "empty.wav": b""}
    write_shard(manifest.parent / "2.tar", {**members, "good.wav": good})
    for name in (*members, "good.wav"):
        add_row(manifest, name)
    corpus = open_corpus(manifest, tmp_path / "cache", "skip")
    assert len(corpus.utterances) == UTTERANCES + 1
    assert corpus.utterances[-1].name == "good.wav"
    (message,) = caplog.messages
    assert "audio not readable: 2 (noise.wav: " in message
    assert "audio damaged: 1 (cut.wav: audio is truncated" in message


def test_bad_lines_are_numbered(
    manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["no json", '{"text": "a", "shard": "0.tar"}', "", "[]"]
    lines.append('{"audio_filepath": "a.wav", "text": null, "shard": "0.tar"}')
    manifest.write_text(manifest.read_text() + "\n".join(lines) + "\n")
    assert len(open_corpus(manifest, tmp_path / "cache", "skip").utterances) == UTTERANCES
    (message,) = caplog.messages
    first = UTTERANCES + 1
    assert f"line not valid: 4 (line {first} is no JSON object, line {first + 1} has no " in message


def test_nothing_that_can_be_read_is_always_fatal(manifest: Path, tmp_path: Path) -> None:
    for shard in manifest.parent.glob("*.tar"):
        shard.unlink()
    with pytest.raises(ManifestError, match="holds no utterance that can be read"):
        open_corpus(manifest, tmp_path / "cache", "skip")


def test_caches_without_names_are_read(manifest: Path, tmp_path: Path) -> None:
    open_corpus(manifest, tmp_path / "cache")
    (index,) = (tmp_path / "cache").glob("*/index.jsonl")
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    assert all(row.pop("name").startswith("part/") for row in rows)
    index.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "cache" / "speech-train" / "problems.jsonl").unlink()
    corpus = open_corpus(manifest, tmp_path / "cache")
    assert [u.name for u in corpus.utterances] == [""] * UTTERANCES
