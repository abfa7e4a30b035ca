"""Reads the vocabulary in a folder of a model, as the Hub or CTranslate2 has it."""

from pathlib import Path
from typing import TypeVar

from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.listed import list_to_json
from auricle_types.errors import CorruptCheckpointError, TokenizerMissingError
from auricle_types.parsing import parse_json

TOKENIZER, ADDED = "tokenizer.json", "added_tokens.json"
VOCAB, MERGES = "vocab.json", "merges.txt"
LISTS = ("vocabulary.json", "vocabulary.txt")  # CTranslate2's: tokens in the order of their ids


Kind = TypeVar("Kind", bound=BytePairTokenizer)


def folder_tokenizer(folder: Path, kind: type[Kind]) -> Kind:
    """Read `tokenizer.json`, or `vocab.json`, `merges.txt` and `added_tokens.json`, or a list.

    Args:
        folder: the folder of a model.
        kind: the class of its family's vocabulary.

    Raises:
        TokenizerMissingError: there are no such files.
        CorruptCheckpointError: they cannot be read, or contradict each other.
    """
    if not has_vocabulary(folder):
        raise TokenizerMissingError(
            f"no vocabulary in {folder}: it needs {TOKENIZER}, or {VOCAB} and {MERGES}, "
            f"or of CTranslate2 {' or '.join(LISTS)}"
        )
    try:
        found = _read(folder, kind)
        _ = found.vocab_size  # it may look for tokens that the files lack
    except Exception as error:  # tokenizers raises bare Exception
        raise CorruptCheckpointError(
            f"{folder}: no readable vocabulary ({error}): copy its files again, from one model"
        ) from error
    return found


def has_vocabulary(folder: Path) -> bool:
    """Whether the files are there."""
    is_whole, is_listed = (folder / TOKENIZER).is_file(), _list(folder) is not None
    return is_whole or is_listed or _has_parts(folder)


def _has_parts(folder: Path) -> bool:
    return (folder / VOCAB).is_file() and (folder / MERGES).is_file()


def _list(folder: Path) -> Path | None:
    return next((folder / name for name in LISTS if (folder / name).is_file()), None)


def _read(folder: Path, kind: type[Kind]) -> Kind:
    listed = _list(folder)
    if (folder / TOKENIZER).is_file():
        return kind((folder / TOKENIZER).read_bytes())
    if listed is None or _has_parts(folder):
        return _of_parts(folder, kind)
    return kind(list_to_json(_tokens(listed)))


def _tokens(path: Path) -> list[str]:
    """Read a JSON list, or a line for each token: CTranslate2 writes either."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return text.removesuffix("\n").split("\n")
    parsed: list[str] = parse_json(text)
    return parsed


def _of_parts(folder: Path, kind: type[Kind]) -> Kind:
    added = _json(folder / ADDED) if (folder / ADDED).is_file() else {}
    merges = (folder / MERGES).read_text(encoding="utf-8").splitlines()
    return kind.from_parts(_json(folder / VOCAB), merges, added)


def _json(path: Path) -> dict[str, int]:
    parsed: dict[str, int] = parse_json(path.read_text(encoding="utf-8"))
    return parsed
