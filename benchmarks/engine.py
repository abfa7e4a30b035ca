"""Auricle's engine beside its peers, on the same random Whisper-tiny: python -m benchmarks.engine.

Everybody recognises the same 64 utterances of 2 to 15 s with exactly 32 tokens each, in turns, in
a process of its own, with the same number of threads; Auricle also in a process for each thread.
The peers compute Whisper's 30 s for each utterance, at their best batch size, from features that
are given to them; Auricle computes its own features within the time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import torch

from auricle.checkpoint import save_checkpoint
from auricle.config import SAMPLE_RATE, TransformerConfig
from auricle.engine.devices import resolve_dtype
from auricle.recognizer import Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.elsewhere import Elsewhere
from benchmarks.ours import FULL_CONTEXT, PROCESSES, Auricle, throughput
from benchmarks.peers.field import CTRANSLATE2, PACKAGES, installed, load
from benchmarks.peers.peer import BATCH_SIZES, Peer
from benchmarks.results import Result, table
from benchmarks.roofline import Roofline
from benchmarks.rounds import Standing, alternate, fastest, in_turn, ratio
from benchmarks.workload import (
    FULL,
    QUICK,
    SMOKE,
    WHISPER_TINY,
    Workload,
    exactly,
    padded,
    talker,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    workload: Workload = FULL
    dims: TransformerConfig = WHISPER_TINY
    checkpoint: Path = Path("random.safetensors")  # of ours, with these dimensions
    rounds: int = 3
    batch_sizes: Sequence[int] = BATCH_SIZES
    full_utterances: int = 32  # of ours with full context: all would take much memory
    peer_utterances: int = 16  # a run; each takes a peer the same time, whatever is in it
    product: int = 2048  # rows and columns of the roofline's product


SMOKE_PLAN = Plan(QUICK, SMOKE, rounds=1, batch_sizes=(1, 2), peer_utterances=2, product=64)


@click.command(help=__doc__)
@click.option("--dtype", multiple=True, default=("int8", "auto"), help="The first counts.")
@benchmark_options
def main(dtype: tuple[str, ...], quick: bool, threads: int, output: Path | None) -> None:
    """Run the benchmark, print its table, write its result."""
    plan = SMOKE_PLAN if quick else Plan()
    use_threads(threads)
    result = Result("engine", quick, threads, PACKAGES)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        plan = replace(plan, checkpoint=Path(folder) / plan.checkpoint)
        _save(plan)
        ours = [stack.enter_context(Elsewhere(make)) for make in _ours(plan, dtype, threads)]
        makes = [partial(peer, plan, name, threads) for name in installed()]
        peers = [stack.enter_context(Elsewhere(make)) for make in makes]
        standings = alternate(in_turn(ours, peers), plan.rounds)
    figures = _figures(plan, standings, ours[0].name)
    figures |= _roofline(plan, _dtype("auto"))
    print(_table(standings, ours[0].name))
    print(f"\nencoder: {figures['encoder_roofline_fraction']:.0%} of the bf16 product")
    print(f"         {figures['encoder_over_float32_product']:.0%} of the float32 product")
    result.write(figures, output)


def _save(plan: Plan) -> None:
    found = talker(plan.dims)
    save_checkpoint(plan.checkpoint, found.model, found.tokenizer)


def _ours(plan: Plan, dtypes: Sequence[str], threads: int) -> Iterator[Callable[[], Auricle]]:
    """In each dtype, with each utterance's own length and with 30 s for each.

    In the first one also in a process for each thread.
    """
    names = dict.fromkeys(_dtype(name) for name in dtypes)
    for dtype in names:
        ways = (1, threads) if dtype == next(iter(names)) else (1,)
        for processes in dict.fromkeys(ways):
            for whole in (False, True):
                yield partial(auricle, plan, dtype, threads, whole=whole, processes=processes)


def _dtype(name: str) -> str:
    return str(resolve_dtype(name, torch.device("cpu"))).removeprefix("torch.")


def auricle(plan: Plan, dtype: str, threads: int, *, whole: bool, processes: int = 1) -> Auricle:
    """Ours, after a first run, which is slower."""
    use_threads(threads)
    work = plan.workload
    samples = work.samples()[: plan.full_utterances if whole else None]
    found = Auricle(
        f"auricle {dtype}{FULL_CONTEXT if whole else ''}{PROCESSES if processes > 1 else ''}",
        Recognizer.from_pretrained(
            plan.checkpoint, device="cpu", dtype=dtype, engine=throughput(processes)
        ),
        padded(samples) if whole else samples,
        exactly(work.tokens),
        audio_seconds=sum(map(len, samples)) / SAMPLE_RATE,
    )
    found.run()
    return found


def peer(plan: Plan, name: str, threads: int) -> Peer:
    """A peer at its best batch size."""
    use_threads(threads)
    work = plan.workload
    found = Peer(
        name,
        load(name, plan.dims, threads),
        utterances=plan.peer_utterances,
        tokens=work.tokens,
        seconds_each=work.seconds / work.utterances,
    )
    found.choose_batch(plan.batch_sizes)
    return found


def _figures(plan: Plan, standings: Mapping[str, Standing], ours: str) -> dict[str, Any]:
    work, reference = plan.workload, fastest(standings, CTRANSLATE2)
    own, whole = (_faster(standings, name) for name in (ours, ours + FULL_CONTEXT))
    return {
        "ratio_vs_ctranslate2_int8": ratio(standings, own, reference),
        "ratio_full_context_vs_ctranslate2_int8": ratio(standings, whole, reference),
        "utterances": work.utterances,
        "audio_seconds": round(work.seconds, 1),
        "tokens_each": work.tokens,
        "contestants": {name: standing.to_dict() for name, standing in standings.items()},
        "ratios": {a: {b: ratio(standings, a, b) for b in standings} for a in standings},
    }


def _faster(standings: Mapping[str, Standing], ours: str) -> str:
    """Of our two ways to share out the threads."""
    return fastest(standings, (ours, ours + PROCESSES))


def _roofline(plan: Plan, dtype: str) -> dict[str, Any]:
    model, waveforms = talker(plan.dims).model, plan.workload.samples()
    numbers = getattr(torch, dtype)
    measured = Roofline.over(model, waveforms, numbers, size=plan.product).measure(plan.rounds)
    return {"encoder_dtype": dtype, **measured}


def _table(standings: Mapping[str, Standing], ours: str) -> str:
    rows = []
    for name, standing in standings.items():
        batch = standing.facts.get("batch_size", "")
        rows.append((name, batch, f"{standing.speed:.1f}", ratio(standings, ours, name)))
    return table(("", "Batch", "Audio s/s", f"{ours} is faster by"), rows)


if __name__ == "__main__":
    main()
