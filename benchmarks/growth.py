"""How time and memory grow with audio, company and requests: python -m benchmarks.growth.

A small random model, so that what surrounds it shows: one audio of 1 s to 10 min, 1 to 256
utterances at once, and 10,000 requests one after the other, 64 of them under way at a time.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE, TransformerConfig
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.threads import in_own_thread
from auricle.transcript import Recognition
from benchmarks.command import benchmark_options, use_threads
from benchmarks.memory import peak, reset_peak, resident
from benchmarks.ours import recognizer
from benchmarks.plots import plot
from benchmarks.recordings import speech
from benchmarks.results import Result, table
from benchmarks.rounds import timed
from benchmarks.workload import Workload, exactly, talker

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SMALL = TransformerConfig(
    vocab_size=256, d_model=64, n_heads=2, encoder_layers=2, decoder_layers=2, ffn_dim=256
)
Samples = npt.NDArray[np.float32]
Points = list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one measurement."""

    lengths: Sequence[float] = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)  # seconds of audio
    companies: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # utterances at once
    company_seconds: float = 5.0
    requests: int = 10_000
    settled: int = 1_000  # requests after which memory should not grow
    under_way: int = 64
    repeats: int = 3
    tokens: int = 32  # of a piece of audio


SMOKE_PLAN = Plan((0.5, 1), (1, 2), 0.5, requests=40, settled=10, under_way=4, repeats=1, tokens=4)


@click.command(help=__doc__)
@click.option(
    "--images",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="docs/images, none for --quick",
    help="Where the plots go.",
)
@benchmark_options
def main(images: Path | None, quick: bool, threads: int, output: Path | None) -> None:
    """Run the benchmark, print its table, write its result and its plots."""
    plan = SMOKE_PLAN if quick else Plan()
    use_threads(threads)
    result = Result("growth", quick, threads)
    with recognizer(in_own_thread(lambda: talker(SMALL)), "auto") as loaded:
        loaded.transcribe(_tape(1.0))  # the first one is slower
        curves = {
            "length": by_length(loaded, plan),
            "concurrency": by_company(loaded, plan),
            "requests": by_requests(loaded, plan),
        }
    print(
        "\n\n".join(
            table(list(points[0]), [list(p.values()) for p in points]) for points in curves.values()
        )
    )
    result.write(figures(plan, curves), output)
    if images or not quick:
        plot(curves, images or IMAGES)


def by_length(loaded: Recognizer, plan: Plan) -> Points:
    """Seconds and memory of one audio, by its length."""
    options = exactly(plan.tokens)
    points = []
    for seconds in plan.lengths:
        samples = _tape(seconds)
        reset_peak()
        times = [
            timed(lambda s=samples: loaded.transcribe(s, options=options))  # type: ignore[misc]
            for _ in range(plan.repeats)
        ]
        points.append({"audio_seconds": seconds, **_cost(min(times))})
    return points


def by_company(loaded: Recognizer, plan: Plan) -> Points:
    """Seconds and memory until all are answered, by how many come at once."""
    points = []
    for count in plan.companies:
        pieces = [Piece(0.0, _tape(plan.company_seconds)) for _ in range(count)]
        reset_peak()
        times = [timed(lambda p=pieces: _all(loaded, p, plan.tokens)) for _ in range(plan.repeats)]  # type: ignore[misc]
        points.append({"utterances": float(count), **_cost(min(times))})
    return points


def by_requests(loaded: Recognizer, plan: Plan) -> Points:
    """Memory, by how many requests were answered."""
    waveforms = Workload(plan.under_way, 0.3, 1.0).samples()
    options = exactly(max(1, plan.tokens // 4))
    pending: deque[Future[Recognition]] = deque()
    points: Points = []
    for number in range(plan.requests + plan.under_way):
        if number >= plan.under_way:
            pending.popleft().result()
            points += _sample(number - plan.under_way + 1, plan.requests)
        if number < plan.requests:
            piece = Piece(0.0, waveforms[number % len(waveforms)])
            pending.append(loaded.submit(piece, options, block=True))
    return points


def _sample(answered: int, requests: int) -> Points:
    """A point, at every fortieth of the way."""
    if answered % (requests // 40):
        return []
    return [{"requests": float(answered), "resident_mib": round(resident(), 1)}]


def figures(plan: Plan, curves: dict[str, Points]) -> dict[str, Any]:
    """What the curves come to: 1 where time is linear in audio, 0 MiB where nothing leaks."""
    lengths, requests = curves["length"], curves["requests"]
    longest, middle = lengths[-1], lengths[len(lengths) // 2]
    settled = next(p for p in requests if p["requests"] >= plan.settled)
    return {
        "cost_longest_over_middle": round(_rate(longest) / _rate(middle), 3),
        "resident_growth_mib": round(requests[-1]["resident_mib"] - settled["resident_mib"], 1),
        "settled_after_requests": plan.settled,
        "curves": curves,
    }


def _rate(point: dict[str, float]) -> float:
    return point["seconds"] / point["audio_seconds"]


def _cost(seconds: float) -> dict[str, float]:
    return {"seconds": round(seconds, 4), "peak_mib": round(peak(), 1)}


def _all(loaded: Recognizer, pieces: Sequence[Piece], tokens: int) -> None:
    options = exactly(tokens)
    for future in [loaded.submit(piece, options, block=True) for piece in pieces]:
        future.result()


def _tape(seconds: float) -> Samples:
    """Speech of this length: the samples one after the other, over again."""
    recorded = np.concatenate(speech(8))
    wanted = round(seconds * SAMPLE_RATE)
    return np.resize(recorded, wanted)


if __name__ == "__main__":
    main()
