"""A corpus of tar shards: decoded once, read from memory, missing parts named."""

import json
from pathlib import Path

import numpy as np
import pytest

from auricle.errors import ManifestError
from auricle.training.corpus import Corpus, open_corpus
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
