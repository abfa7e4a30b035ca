"""The vocabulary in a folder of a model on the Hugging Face Hub."""

import json
from pathlib import Path

from auricle.errors import CorruptCheckpointError, TokenizerMissingError
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.whisper import WhisperTokenizer

TOKENIZER, ADDED = "tokenizer.json", "added_tokens.json"
VOCAB, MERGES = "vocab.json", "merges.txt"


def folder_tokenizer(folder: Path, *, whisper: bool) -> BytePairTokenizer:
    """Read `tokenizer.json`, or `vocab.json`, `merges.txt` and `added_tokens.json`.

    Args:
        folder: where they lie.
        whisper: whether the vocabulary is that of a Whisper model.

    Raises:
        TokenizerMissingError: there are no such files.
        CorruptCheckpointError: they cannot be read, or contradict each other.
    """
    kind = WhisperTokenizer if whisper else BytePairTokenizer
    is_whole = (folder / TOKENIZER).is_file()
    if not has_vocabulary(folder):
        raise TokenizerMissingError(
            f"no vocabulary in {folder}: it needs {TOKENIZER}, or {VOCAB} and {MERGES}"
        )
    try:
        found = kind((folder / TOKENIZER).read_bytes()) if is_whole else _of_parts(folder, kind)
        _ = found.vocab_size  # looks for what times begin behind
    except Exception as error:  # tokenizers raises bare Exception
        raise CorruptCheckpointError(
            f"{folder}: no readable vocabulary ({error}): copy its files again, from one model"
        ) from error
    return found


def has_vocabulary(folder: Path) -> bool:
    """Whether the files are there."""
    is_whole = (folder / TOKENIZER).is_file()
    return is_whole or ((folder / VOCAB).is_file() and (folder / MERGES).is_file())


def _of_parts(folder: Path, kind: type[BytePairTokenizer]) -> BytePairTokenizer:
    added = _json(folder / ADDED) if (folder / ADDED).is_file() else {}
    merges = (folder / MERGES).read_text(encoding="utf-8").splitlines()
    return kind.from_parts(_json(folder / VOCAB), merges, added)


def _json(path: Path) -> dict[str, int]:
    parsed: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return parsed
