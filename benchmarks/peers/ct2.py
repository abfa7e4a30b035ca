"""CTranslate2's Whisper, which faster-whisper runs, on a converted checkpoint of random weights."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.converters import TransformersConverter

from auricle.config import TransformerConfig
from benchmarks.peers.hugging import whisper
from benchmarks.peers.peer import END, PROMPT, Features, Generate

LANGUAGES = 99


class _Vocabulary:
    """As much of Whisper's tokenizer as the conversion asks for: the tokens in their order."""

    additional_special_tokens: tuple[str, ...] = ()

    def get_vocab(self) -> dict[str, int]:
        """All but the timestamps, which the converter adds."""
        words = [f"w{number}" for number in range(END)]
        languages = [f"<|l{number}|>" for number in range(LANGUAGES)]
        tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
        special = ["<|endoftext|>", "<|startoftranscript|>", *languages]
        names = [*words, *special, *(f"<|{task}|>" for task in tasks)]
        return {name: number for number, name in enumerate(names)}


class _Converter(TransformersConverter):  # type: ignore[misc]  # has no types
    def load_tokenizer(self, *args: Any, **options: Any) -> _Vocabulary:  # noqa: ANN401
        """The invented one: no checkpoint was downloaded that could have another."""
        return _Vocabulary()


def int8(dims: TransformerConfig, threads: int) -> Generate:
    """With weights and products in 8 bits, all threads at one batch."""
    return _load(dims, "int8", threads)


def int8_workers(dims: TransformerConfig, threads: int) -> Generate:
    """The same, a batch shared out among as many workers of one thread each."""
    return _load(dims, "int8", 1, workers=threads)


def float32(dims: TransformerConfig, threads: int) -> Generate:
    """With full precision, all threads at one batch."""
    return _load(dims, "float32", threads)


def _load(dims: TransformerConfig, kind: str, threads: int, workers: int = 1) -> Generate:
    with tempfile.TemporaryDirectory() as folder:
        converted = str(Path(folder) / "converted")
        whisper(dims).save_pretrained(folder)
        _Converter(folder).convert(converted, quantization=kind)
        model = ctranslate2.models.Whisper(
            converted,
            device="cpu",
            compute_type=kind,
            intra_threads=threads,
            inter_threads=workers,
        )
    callers = ThreadPoolExecutor(workers)

    def generate(features: Features, tokens: int) -> list[int]:
        shares = np.array_split(features, min(workers, len(features)))
        counts = callers.map(lambda share: decode(share, tokens), shares)
        return [count for each in counts for count in each]

    def decode(features: Features, tokens: int) -> list[int]:
        results = model.generate(
            ctranslate2.StorageView.from_array(features),
            [list(PROMPT)] * len(features),
            beam_size=1,
            max_length=2 * tokens,  # half of it is the prompt's share
            suppress_tokens=[END],
            suppress_blank=False,
        )
        return [len(result.sequences_ids[0]) for result in results]

    return generate
