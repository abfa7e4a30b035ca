"""Peers with a checkpoint's true weights: each reads clips and says words, greedily."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from auricle.config import SAMPLE_RATE
from auricle.families.folder import is_ct2
from auricle.hub.download import hub_folder
from auricle.hub.reference import is_model_name
from benchmarks.peers import faster
from benchmarks.peers.faster import GREEDY, Samples, Transcribe

Load = Callable[[str, int], Transcribe]
"""A model's name or path, and threads, to a peer that is ready."""
FILES = ("tokenizer.json", "preprocessor_config.json")  # which faster-whisper reads, too


class NotForThisError(Exception):
    """A peer cannot read this kind of checkpoint."""


def faster_whisper(
    way: Callable[..., Transcribe], kind: str, model: str, threads: int
) -> Transcribe:
    """In one of its three ways, with weights and products of that kind."""
    with _ct2_folder(model, kind) as folder:
        return way(str(folder), threads, kind)


def openai_whisper(model: str, threads: int) -> Transcribe:
    """The reference; it reads its own files, knows its own models by name; others are converted."""
    import torch

    torch.set_num_threads(threads)
    loaded, options = _openai_model(model), GREEDY | {"beam_size": None, "fp16": False}
    return lambda clips: [str(loaded.transcribe(clip, **options)["text"]) for clip in clips]


def moonshine(model: str, threads: int) -> Transcribe:
    """Transformers' Moonshine, a clip at a time: its stem sees padding."""
    import torch
    from tokenizers import Tokenizer
    from transformers import MoonshineForConditionalGeneration

    torch.set_num_threads(threads)
    folder = _folder(model)
    loaded = MoonshineForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def text(clip: Samples) -> str:
        most = max(8, round(6.5 * len(clip) / SAMPLE_RATE))  # tokens a second, as its authors do
        waveform = torch.from_numpy(clip)[None]
        answer = loaded.generate(waveform, max_new_tokens=most, do_sample=False, num_beams=1)
        return str(tokenizer.decode(answer[0].tolist()))

    def transcribe(clips: Sequence[Samples]) -> list[str]:
        return [text(clip) for clip in clips]

    return transcribe


def _openai_model(model: str) -> Any:  # noqa: ANN401  # it has no types
    import whisper

    if Path(model).is_dir() and is_ct2(Path(model)):
        from benchmarks.peers.converted import openai_model

        return openai_model(Path(model))
    name = model.removeprefix("openai/whisper-")
    if not Path(model).is_file() and name not in whisper.available_models():
        raise NotForThisError(
            "it reads .pt files, folders of CTranslate2 and openai/whisper-... without a revision"
        )
    return whisper.load_model(name, device="cpu")


@contextmanager
def _ct2_folder(model: str, kind: str) -> Iterator[Path]:
    """The folder itself where it is CTranslate2's, else one that lasts until it is loaded."""
    folder = _folder(model)
    if is_ct2(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as parent:
        yield _converted(folder, Path(parent), kind)


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


ONE_BY_ONE = "faster-whisper int8, one by one"
FASTER_WHISPER: Mapping[str, Load] = {
    ONE_BY_ONE: partial(faster_whisper, faster.one_by_one, "int8"),
    "faster-whisper int8, batched": partial(faster_whisper, faster.batched, "int8"),
    "faster-whisper int8, a worker a thread": partial(faster_whisper, faster.workers, "int8"),
}
WHISPER: Mapping[str, Load] = {**FASTER_WHISPER, "openai-whisper float32": openai_whisper}
MOONSHINE: Mapping[str, Load] = {"transformers float32": moonshine}
