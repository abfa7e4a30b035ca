"""faster-whisper, greedily, in its three ways: one by one, in batches, a worker for each thread.

As a program it loads a model and transcribes one file, for the time from nothing:
python -m benchmarks.peers.faster FOLDER FILE THREADS
"""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (S,) at 16 kHz
Transcribe = Callable[[Sequence[Samples]], list[str]]
GREEDY: dict[str, Any] = {
    "language": "en",
    "beam_size": 1,
    "temperature": 0.0,  # alone: no second try at a higher one
    "condition_on_previous_text": False,
    "without_timestamps": True,
}
SECOND = 16_000  # samples
FRAMES = 100  # a second, in which the pipeline says where a segment begins
BATCH = 8  # the pipeline's default


def one_by_one(folder: str, threads: int, kind: str = "int8") -> Transcribe:
    """`WhisperModel.transcribe`, all threads at one clip."""
    model = _load(folder, kind, cpu_threads=threads)
    return lambda clips: [_text(model, clip) for clip in clips]


def workers(folder: str, threads: int, kind: str = "int8") -> Transcribe:
    """The same, called by as many threads as the model has workers of one thread."""
    model = _load(folder, kind, cpu_threads=1, num_workers=threads)

    def transcribe(clips: Sequence[Samples]) -> list[str]:
        with ThreadPoolExecutor(threads) as callers:
            return list(callers.map(lambda clip: _text(model, clip), clips))

    return transcribe


def batched(folder: str, threads: int, kind: str = "int8") -> Transcribe:
    """`BatchedInferencePipeline`: it batches parts of one audio, so the clips are joined."""
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_load(folder, kind, cpu_threads=threads))

    def transcribe(clips: Sequence[Samples]) -> list[str]:
        order = sorted(range(len(clips)), key=lambda row: len(clips[row]))  # less to wait for
        audio, parts = joined([clips[row] for row in order])
        segments, _ = pipeline.transcribe(audio, clip_timestamps=parts, batch_size=BATCH, **GREEDY)
        row_of = {round(part["start"]): row for part, row in zip(parts, order, strict=True)}
        texts = [""] * len(clips)
        for segment in segments:
            texts[row_of[segment.seek // FRAMES]] += segment.text
        return texts

    return transcribe


def joined(clips: Sequence[Samples]) -> tuple[Samples, list[dict[str, float]]]:
    """One audio, in which each clip begins with a full second, and where each lies in seconds."""
    padded = [np.pad(clip, (0, -len(clip) % SECOND)) for clip in clips]
    ends = np.cumsum([len(each) for each in padded])
    starts = [int(end) - len(each) for end, each in zip(ends, padded, strict=True)]
    parts = [
        {"start": start / SECOND, "end": (start + len(clip)) / SECOND}
        for start, clip in zip(starts, clips, strict=True)
    ]
    return np.concatenate(padded), parts


def _load(folder: str, kind: str, **threads: int) -> Any:  # noqa: ANN401  # it has no types
    from faster_whisper import WhisperModel

    return WhisperModel(folder, device="cpu", compute_type=kind, **threads)


def _text(model: Any, audio: Samples | str) -> str:  # noqa: ANN401  # as above
    segments, _ = model.transcribe(audio, **GREEDY)
    return "".join(segment.text for segment in segments)


if __name__ == "__main__":
    print(_text(_load(sys.argv[1], "int8", cpu_threads=int(sys.argv[3])), sys.argv[2]))
