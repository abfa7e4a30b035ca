"""Small models as CTranslate2 keeps them: helpers for tests, no tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from auricle.families.whisper.tokenizer import WhisperTokenizer
from tests.asr.families.peers import hub_folder, openai_model

QUANTIZATIONS = (
    *("float32", "float16", "bfloat16", "int16"),
    *("int8", "int8_float32", "int8_float16", "int8_bfloat16"),
)


def published(folder: Path, tokenizer: WhisperTokenizer, **dims: int) -> Path:
    """A small random model as the Hub has it, which listens; English only if its vocabulary is."""
    hub_folder(openai_model(n_vocab=tokenizer.vocab_size, **dims), folder, tokenizer)
    path = folder / "generation_config.json"
    said = json.loads(path.read_text())
    said["begin_suppress_tokens"] = list(tokenizer.blanks)
    if not tokenizer.multilingual:
        del said["lang_to_id"], said["task_to_id"]
    path.write_text(json.dumps(said))
    return folder


def convert(folder: Path, target: Path, quantization: str = "float32") -> Path:
    """What CTranslate2's converter makes of a folder of the Hub, which holds a tokenizer.json.

    Skips the test where CTranslate2 is missing.
    """
    reason = "ctranslate2 is not installed: pip install 'auricle[bench]'"
    converters: Any = pytest.importorskip("ctranslate2.converters", reason=reason)
    tokenizer = WhisperTokenizer((folder / "tokenizer.json").read_bytes())

    class Ct2Converter(converters.TransformersConverter):  # type: ignore[misc]  # has no types
        def load_tokenizer(self, *args: object, **options: object) -> "_Ct2Vocabulary":
            return _Ct2Vocabulary(tokenizer)

    Ct2Converter(str(folder), copy_files=["tokenizer.json"]).convert(
        str(target), quantization=quantization
    )
    return target


class _Ct2Vocabulary:
    """As much of transformers' tokenizer as the converter asks for."""

    additional_special_tokens: tuple[str, ...] = ()

    def __init__(self, tokenizer: WhisperTokenizer) -> None:
        described = json.loads(tokenizer.serialized)
        added = {each["content"]: each["id"] for each in described["added_tokens"]}
        self._ids: dict[str, int] = {**described["model"]["vocab"], **added}

    def get_vocab(self) -> dict[str, int]:
        return self._ids
