"""Peers with a checkpoint's true weights: each reads samples and says words, greedily."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from auricle.families import hub_folder, is_model_name
from auricle.families.ctranslate2 import is_ct2

Listen = Callable[[npt.NDArray[np.float32]], str]
"""Samples `(S,)` in float32 at 16 kHz to the words that were said."""
Load = Callable[[str, int], Listen]
"""A model's name or path, and threads, to a peer that is ready."""

GREEDY: dict[str, Any] = {
    "language": "en",
    "beam_size": 1,
    "temperature": 0.0,  # alone: no second try at a higher one
    "condition_on_previous_text": False,
    "without_timestamps": True,
}
FILES = ("tokenizer.json", "preprocessor_config.json")  # which faster-whisper reads, too


class NotForThisError(Exception):
    """A peer cannot read this kind of checkpoint."""


def faster_whisper_int8(model: str, threads: int) -> Listen:
    """CTranslate2 with 8-bit weights and products."""
    return _faster_whisper(model, threads, "int8")


def faster_whisper_float32(model: str, threads: int) -> Listen:
    """CTranslate2 with full precision."""
    return _faster_whisper(model, threads, "float32")


def openai_whisper(model: str, threads: int) -> Listen:
    """The reference; it reads its own files, and knows its own models by name."""
    import torch
    import whisper

    name = model.removeprefix("openai/whisper-")
    if not Path(model).is_file() and name not in whisper.available_models():
        raise NotForThisError("it reads .pt files and openai/whisper-... without a revision")
    torch.set_num_threads(threads)
    loaded = whisper.load_model(name, device="cpu")

    def listen(samples: npt.NDArray[np.float32]) -> str:
        answer = loaded.transcribe(samples, fp16=False, **(GREEDY | {"beam_size": None}))
        return str(answer["text"])

    return listen


def moonshine(model: str, threads: int) -> Listen:
    """Transformers' Moonshine, an utterance at a time: its stem hears padding."""
    import torch
    from tokenizers import Tokenizer
    from transformers import MoonshineForConditionalGeneration

    torch.set_num_threads(threads)
    folder = _folder(model)
    loaded = MoonshineForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def listen(samples: npt.NDArray[np.float32]) -> str:
        heard = torch.from_numpy(samples)[None]
        most = max(8, round(6.5 * len(samples) / SAMPLE_RATE))  # tokens a second, as its authors do
        answer = loaded.generate(heard, max_new_tokens=most, do_sample=False, num_beams=1)
        return str(tokenizer.decode(answer[0].tolist()))

    return listen


def _faster_whisper(model: str, threads: int, kind: str) -> Listen:
    folder = _folder(model)
    from faster_whisper import WhisperModel

    with tempfile.TemporaryDirectory() as parent:
        target = folder if is_ct2(folder) else _converted(folder, Path(parent), kind)
        loaded = WhisperModel(str(target), device="cpu", compute_type=kind, cpu_threads=threads)

    def listen(samples: npt.NDArray[np.float32]) -> str:
        segments, _ = loaded.transcribe(samples, **GREEDY)
        return "".join(segment.text for segment in segments)

    return listen


def _converted(folder: Path, parent: Path, kind: str) -> Path:
    from ctranslate2.converters import TransformersConverter

    target = parent / "converted"
    copied = [name for name in FILES if (folder / name).exists()]
    TransformersConverter(str(folder), copy_files=copied).convert(str(target), quantization=kind)
    return target


def _folder(model: str) -> Path:
    folder = hub_folder(model) if is_model_name(model) and not Path(model).exists() else Path(model)
    if not folder.is_dir():
        raise NotForThisError("it reads folders as the Hugging Face Hub has them, and names there")
    return folder


WHISPER: dict[str, Load] = {
    "faster-whisper int8": faster_whisper_int8,
    "faster-whisper float32": faster_whisper_float32,
    "openai-whisper float32": openai_whisper,
}
MOONSHINE: dict[str, Load] = {"transformers float32": moonshine}
