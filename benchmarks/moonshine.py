"""Moonshine-tiny's shape beside transformers: python -m benchmarks.moonshine.

Its weights cannot be had here, so they are random, made and saved by transformers; Auricle loads
them as it loads published ones. Everybody gives each utterance exactly 32 tokens, greedily and by
beams of 5, in turns, each in a process of its own with the same number of threads.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from auricle.config import TransformerConfig
from auricle.recognizer import Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.elsewhere import Elsewhere
from benchmarks.ours import PROCESSES, Auricle, throughput
from benchmarks.results import Result, table
from benchmarks.rounds import Contestant, Standing, alternate, in_turn, ratio
from benchmarks.workload import ATTENTION, FULL, QUICK, SMOKE, Workload

MOONSHINE_TINY = TransformerConfig(  # what its family does not say by itself
    vocab_size=32_768, d_model=288, n_heads=8, encoder_layers=6, decoder_layers=6, ffn_dim=1152
)
SMALL = replace(SMOKE, vocab_size=MOONSHINE_TINY.vocab_size)
ONE_BY_ONE, TOGETHER = 1, 8  # utterances in a batch of transformers
TARGETS = {"auto": 3.0}  # by audio context: Auricle's speed in int8 over one by one
DTYPES = ("int8", "float32", "bfloat16")
BEAMS = (1, 5)
PACKAGES = ("torch", "numpy", "transformers")
Make = Callable[[], Contestant]  # called in the contestant's own process


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one measurement."""

    folder: Path  # of the checkpoint
    dims: TransformerConfig = MOONSHINE_TINY
    dtypes: Sequence[str] = DTYPES  # of Auricle
    workload: Workload = FULL
    rounds: int = 2
    threads: int = 2


@click.command(help=__doc__)
@click.option("--beam", multiple=True, type=click.IntRange(1), default=BEAMS, help="1: greedy.")
@click.option("--dtype", multiple=True, default=DTYPES, help="Of Auricle.")
@benchmark_options
def main(
    beam: tuple[int, ...], dtype: tuple[str, ...], quick: bool, threads: int, output: Path | None
) -> None:
    """Run the benchmark, print its tables, write its result."""
    from benchmarks.random_checkpoint import save_moonshine

    use_threads(threads)
    result = Result("moonshine-tiny", quick, threads, PACKAGES)
    with TemporaryDirectory() as folder:
        plan = Plan(Path(folder), dtypes=dtype, threads=threads)
        if quick:
            plan = replace(plan, dims=SMALL, workload=QUICK, rounds=1)
        save_moonshine(plan.dims, plan.folder)
        searches = [_search(plan, size) for size in sorted(set(beam))]
    result.write(figures(plan, searches), output)


def _search(plan: Plan, beam: int) -> dict[str, Any]:
    """All contestants with beams of that size."""
    with ExitStack() as stack:
        theirs = [stack.enter_context(Elsewhere(make)) for make in _peers(plan, beam)]
        ours = [stack.enter_context(Elsewhere(make)) for make in _ours(plan, beam)]
        standings = alternate(in_turn(ours, theirs), plan.rounds)
    found = {"beam_size": beam, **held_against(peer_name("float32", ONE_BY_ONE), standings)}
    print(f"\nbeam size {beam}\n\n{_table(found)}", flush=True)
    return found


def _ours(plan: Plan, beam: int) -> Iterator[Make]:
    """In each dtype; in that of the targets in a process a thread, too."""
    for dtype in dict.fromkeys(plan.dtypes):
        ways = (1, plan.threads) if dtype == plan.dtypes[0] else (1,)
        for processes in dict.fromkeys(ways):
            yield partial(auricle, plan, dtype, beam, processes)


def auricle(plan: Plan, dtype: str, beam: int, processes: int) -> Auricle:
    """Ours, after a first run, which is slower."""
    use_threads(plan.threads)
    found = Auricle(
        our_name(dtype, processes),
        Recognizer.from_pretrained(
            plan.folder, device="cpu", dtype=dtype, engine=throughput(processes)
        ),
        plan.workload.samples(),
        replace(ATTENTION, max_tokens=plan.workload.tokens, beam_size=beam),
        audio_seconds=plan.workload.seconds,
    )
    found.run()
    return found


def _peers(plan: Plan, beam: int) -> Iterator[Make]:
    """Each utterance by itself, and padded ones together, which changes them."""
    for dtype in ("float32", "bfloat16"):
        for batch_size in (ONE_BY_ONE, TOGETHER):
            yield partial(peer, plan, dtype, batch_size, beam)


def peer(plan: Plan, dtype: str, batch_size: int, beam: int) -> Contestant:
    """After a first run, which is slower."""
    import torch

    from benchmarks.peers.moonshine import Moonshine, moonshine

    use_threads(plan.threads)
    found = Moonshine(
        peer_name(dtype, batch_size),
        moonshine(plan.dims).to(getattr(torch, dtype)),
        plan.workload.samples(),
        batch_size=batch_size,
        tokens=plan.workload.tokens,
        beam_size=beam,
    )
    found.run()
    return found


def our_name(dtype: str, processes: int = 1) -> str:
    """How the tables name a contestant."""
    return f"auricle {dtype}, auto{PROCESSES if processes > 1 else ''}"


def peer_name(dtype: str, batch_size: int) -> str:
    """How the tables name a contestant."""
    together = "one by one" if batch_size == ONE_BY_ONE else f"{batch_size} together"
    return f"transformers {dtype}, {together}"


def held_against(reference: str, standings: Mapping[str, Standing]) -> dict[str, Any]:
    """Everybody's speed, and over that of the reference."""
    return {
        "contestants": {name: standing.to_dict() for name, standing in standings.items()},
        "over": {reference: {name: ratio(standings, name, reference) for name in standings}},
    }


def figures(plan: Plan, searches: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the result holds."""
    return {
        "utterances": plan.workload.utterances,
        "tokens_each": plan.workload.tokens,
        "dtype_of_targets": plan.dtypes[0],
        "targets": TARGETS,
        "searches": list(searches),
    }


def _table(search: Mapping[str, Any]) -> str:
    ((reference, over),) = search["over"].items()
    rows = [
        (name, found.get("batch_size", ""), found["audio_seconds_per_second"], over[name])
        for name, found in search["contestants"].items()
    ]
    return table(("", "Batch", "Audio s/s", f"over {reference}"), rows)


if __name__ == "__main__":
    main()
