"""The files of a model's folder, as the Hub has them and as earlier releases had them."""

import json
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

pytest.importorskip("whisper")

from auricle.families.whisper.openai_vocabulary import openai_tokenizer
from auricle.families.whisper.tokenizer import TIMESTAMPS, WhisperTokenizer
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.folder import folder_tokenizer
from auricle_types.errors import CorruptCheckpointError, TokenizerMissingError
from tests.asr.tokenizer.unicode_lines import lines, short_vocabulary, vocabulary


def write_parts(folder: Path, *, times: bool = True) -> None:
    described = json.loads(short_vocabulary().serialized)
    merges = [" ".join(pair) for pair in described["model"]["merges"]]
    (folder / "vocab.json").write_text(json.dumps(described["model"]["vocab"]), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges), encoding="utf-8")
    added = {each["content"]: each["id"] for each in described["added_tokens"]}
    if not times:
        added = {name: token for name, token in added.items() if "." not in name}
    (folder / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")


def assert_equal(found: WhisperTokenizer, expected: WhisperTokenizer) -> None:
    assert found.special == expected.special
    assert found.languages == expected.languages
    assert found.vocab_size == expected.vocab_size == found.timestamp_begin + TIMESTAMPS
    for line in lines(200, seed=3):
        assert found.encode(line) == expected.encode(line)


def test_one_file(tmp_path: Path) -> None:
    """A published one, whole."""
    (tmp_path / "tokenizer.json").write_bytes(vocabulary().serialized)
    found = folder_tokenizer(tmp_path, WhisperTokenizer)
    assert_equal(found, vocabulary())


@pytest.mark.parametrize("times", [True, False])
def test_several_files(tmp_path: Path, times: bool) -> None:
    """Early releases do not list the times."""
    write_parts(tmp_path, times=times)
    found = folder_tokenizer(tmp_path, WhisperTokenizer)
    assert_equal(found, short_vocabulary())


def test_the_older_name_of_no_speech(tmp_path: Path) -> None:
    older = short_vocabulary().serialized.replace(b"<|nospeech|>", b"<|nocaptions|>")
    (tmp_path / "tokenizer.json").write_bytes(older)
    found = folder_tokenizer(tmp_path, WhisperTokenizer)
    assert found.no_speech == short_vocabulary().no_speech


def test_other_families_have_no_times(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(short_vocabulary().serialized)
    assert type(folder_tokenizer(tmp_path, BytePairTokenizer)) is not WhisperTokenizer


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(TokenizerMissingError, match=r"needs tokenizer\.json, or vocab\.json and"):
        folder_tokenizer(tmp_path, WhisperTokenizer)


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.json", "added_tokens.json"])
@pytest.mark.parametrize("content", ["{", "[1, 2]", '"text"'])
def test_broken_files(tmp_path: Path, name: str, content: str) -> None:
    write_parts(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(CorruptCheckpointError):
        folder_tokenizer(tmp_path, WhisperTokenizer)


def test_without_the_package_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle.families.whisper.openai_vocabulary.find_spec", lambda name: None)
    with pytest.raises(TokenizerMissingError, match=r"pip install 'auricle\[openai\]'"):
        openai_tokenizer(multilingual=True)


def test_another_package_of_that_name_is_not_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whisper").mkdir()
    (tmp_path / "whisper" / "__init__.py").touch()
    found = PathFinder.find_spec("whisper", [str(tmp_path)])
    monkeypatch.setattr("auricle.families.whisper.openai_vocabulary.find_spec", lambda name: found)
    with pytest.raises(TokenizerMissingError):
        openai_tokenizer(multilingual=False)
