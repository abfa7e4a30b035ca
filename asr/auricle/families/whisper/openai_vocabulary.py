"""Builds the vocabulary for OpenAI's `.pt` files from the package `openai-whisper`."""

import base64
from importlib.util import find_spec
from pathlib import Path

from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, TIMESTAMPS, WhisperTokenizer
from auricle.tokenizer.byte_pairs import all_merges, serialize
from auricle.tokenizer.languages import LANGUAGES
from auricle_types.errors import TokenizerMissingError

_Ranks = dict[bytes, int]


def openai_tokenizer(*, multilingual: bool, languages: int = 99) -> WhisperTokenizer:
    """Build the vocabulary of a Whisper model that knows so many languages.

    Raises:
        TokenizerMissingError: the package `openai-whisper` is not installed.
    """
    ranks = _ranks(_asset("multilingual" if multilingual else "gpt2"))
    vocab = {_written(token): rank for token, rank in ranks.items()}
    return WhisperTokenizer(serialize(vocab, all_merges(vocab), _added(len(ranks), languages)))


def _asset(name: str) -> Path:
    package = find_spec("whisper")  # not imported: it would load more than a table
    folders = (package and package.submodule_search_locations) or []
    paths = [Path(folder) / "assets" / f"{name}.tiktoken" for folder in folders]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise TokenizerMissingError(
            "OpenAI's .pt files hold no vocabulary: pip install 'auricle[openai]', "
            "or give the model's tokenizer.json"
        )
    return found


def _ranks(path: Path) -> _Ranks:
    lines = (line.split() for line in path.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def _added(first: int, languages: int) -> dict[str, int]:
    names = [
        "endoftext",
        "startoftranscript",
        *list(LANGUAGES)[:languages],
        *("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"),
        *(f"{index * TIMESTAMP_SECONDS:.2f}" for index in range(TIMESTAMPS)),
    ]
    return {f"<|{name}|>": first + place for place, name in enumerate(names)}


def _written(token: bytes) -> str:
    """Write bytes as byte-level vocabularies do."""
    return "".join(_LETTERS[byte] for byte in token)


def _letters() -> list[str]:
    """Choose a visible letter for each byte (Radford et al. 2019): itself, or one from 256 on."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(others)) for byte in range(256)]


_LETTERS = _letters()
