"""The vocabulary in a folder of a model on the Hugging Face Hub."""

import json
from pathlib import Path

from auricle.errors import CorruptCheckpointError, TokenizerMissingError
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.whisper import WhisperTokenizer

WHOLE, VOCAB, MERGES, ADDED = "tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json"


def folder_tokenizer(folder: Path, *, whisper: bool) -> BytePairTokenizer:
    """Read `tokenizer.json`, or `vocab.json`, `merges.txt` and `added_tokens.json`.

    Args:
        folder: where they lie.
        whisper: whether the vocabulary is that of a Whisper model.

    Raises:
        TokenizerMissingError: there are no such files.
        CorruptCheckpointError: they cannot be read.
    """
    kind = WhisperTokenizer if whisper else BytePairTokenizer
    if (folder / WHOLE).is_file():
        return kind((folder / WHOLE).read_bytes())
    if not ((folder / VOCAB).is_file() and (folder / MERGES).is_file()):
        raise TokenizerMissingError(
            f"no vocabulary in {folder}: it needs {WHOLE}, or {VOCAB} and {MERGES}"
        )
    try:
        added = _json(folder / ADDED) if (folder / ADDED).is_file() else {}
        merges = (folder / MERGES).read_text(encoding="utf-8").splitlines()
        return kind.from_parts(_json(folder / VOCAB), merges, added)
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptCheckpointError(f"{folder}: no readable vocabulary ({error})") from error


def _json(path: Path) -> dict[str, int]:
    parsed: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return parsed
