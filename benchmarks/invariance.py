"""How often company changes an answer, and how far half precision does: make bench-invariance.

Speech of the samples is cut at random, so that no utterance has the length of another, and decoded
by the bundled model: each by itself, then all at once in several random orders, greedy and with
beams side by side. The answers must be equal in words and confidence, which is to the last bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import jiwer
import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from auricle.config import SAMPLE_RATE
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_types.options import DecodingOptions, EngineConfig
from benchmarks.command import benchmark_options, use_threads
from benchmarks.recordings import speech
from benchmarks.results import Result, table

DTYPES = ("float32", "bfloat16", "float16", "int8")
BEAMS = (1, 1, 1, 3)
Answer = tuple[str, float]  # words, confidence
Waveforms = Sequence[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Rate:
    """What one way of computing gave."""

    dtype: str
    threads: int
    exact: bool
    answers: int  # compared with those alone
    different: int  # from those alone
    words_unlike_float32: float  # share of words that differ from those of float32, one thread


def utterances(count: int, seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """Random stretches of the samples, 0.5 to 12 s."""
    random = np.random.default_rng(seed)
    sources = [np.tile(each, 4) for each in speech(8)]
    cut = []
    for number in range(count):
        source, length = sources[number % len(sources)], random.integers(8_000, 12 * SAMPLE_RATE)
        start = random.integers(0, len(source) - length)
        cut.append(source[start : start + length] * float(random.uniform(0.2, 1.5)))
    return cut


def answers(recognizer: Recognizer, waveforms: Waveforms, order: Sequence[int]) -> list[Answer]:
    """Of all waveforms, submitted at once in this order; in the waveforms' own order."""
    futures = {
        number: recognizer.submit(
            Piece(0.0, waveforms[number]),
            DecodingOptions(beam_size=BEAMS[number % len(BEAMS)]),
            block=True,
        )
        for number in order
    }
    found = [futures[number].result() for number in range(len(waveforms))]
    return [_answer(each) for each in found]


def alone(recognizer: Recognizer, waveforms: Waveforms) -> list[Answer]:
    """Of all waveforms, each with nobody beside it."""
    beams = [BEAMS[number % len(BEAMS)] for number in range(len(waveforms))]
    return [
        _answer(recognizer.submit(Piece(0.0, waveform), DecodingOptions(beam_size=beam)).result())
        for waveform, beam in zip(waveforms, beams, strict=True)
    ]


def _answer(found: Recognition) -> Answer:
    return found.text, found.segments[0].confidence


def different(recognizer: Recognizer, waveforms: Waveforms, orders: int) -> tuple[int, list[str]]:
    """How many answers in company are not those alone, and the words of those alone."""
    random = np.random.default_rng(1)
    expected = alone(recognizer, waveforms)
    found = 0
    for _ in range(orders):
        order = random.permutation(len(waveforms)).tolist()
        pairs = zip(answers(recognizer, waveforms, order), expected, strict=True)
        found += sum(one != other for one, other in pairs)
    return found, [text for text, _ in expected]


def rates(waveforms: Waveforms, orders: int, threads: int) -> Iterator[Rate]:
    """Each dtype with one thread and with `threads`, and `exact` in float32."""
    reference: list[str] = []
    counts = sorted({1, threads})
    ways = [(dtype, count, False) for dtype in DTYPES for count in counts]
    for dtype, count, exact in tqdm([*ways, ("float32", threads, True)], unit="way"):
        torch.set_num_threads(count)
        config = EngineConfig(exact=exact)
        with Recognizer.from_pretrained(dtype=dtype, device="cpu", engine=config) as one:
            found, words = different(one, waveforms, orders)
        reference = reference or words
        unlike = jiwer.wer(reference, words)
        yield Rate(dtype, count, exact, orders * len(waveforms), found, round(unlike, 4))


@click.command(help=__doc__)
@benchmark_options
def main(quick: bool, threads: int, output: Path | None) -> None:
    """Compares answers in company with those alone."""
    use_threads(threads)
    result = Result("invariance", quick, threads)
    waveforms = utterances(4 if quick else 32)
    found = list(rates(waveforms, 1 if quick else 3, threads))
    figures: dict[str, Any] = {"rates": [asdict(rate) for rate in found]}
    print(table(list(figures["rates"][0]), [list(rate.values()) for rate in figures["rates"]]))
    result.write(figures, output)


if __name__ == "__main__":
    main()
