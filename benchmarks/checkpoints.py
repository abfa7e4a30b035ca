"""Published models' shapes beside their peers: python -m benchmarks.checkpoints whisper-tiny.

Weights are random, made and saved by the peers' code; Auricle loads them as it loads published
ones. Everybody gives each utterance exactly 32 tokens, greedily and by beams of 5, in turns, each
in a process of its own with the same number of threads. Whisper's peers compute 30 s for each
utterance; Auricle does so with full context, and with auto what there is and 2.56 s more. For
Moonshine all compute what there is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from auricle.config import SAMPLE_RATE, AudioContext
from auricle.recognizer import Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.elsewhere import Elsewhere
from benchmarks.ours import PROCESSES, Auricle, throughput
from benchmarks.peers.field import PACKAGES
from benchmarks.results import Result, table
from benchmarks.rounds import Standing, alternate, in_turn, ratio
from benchmarks.shapes import SHAPES, SMOKE_AMOUNT, WHOLE, Amount, Make, Shape

DTYPES = ("int8", "float32", "bfloat16")
BEAMS = (1, 5)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured of a shape."""

    shape: Shape
    folder: Path  # of its checkpoint
    dtypes: Sequence[str] = DTYPES  # of Auricle
    amount: Amount = WHOLE
    rounds: int = 2
    threads: int = 2


@click.command(help=__doc__)
@click.argument("shape", type=click.Choice(list(SHAPES)))
@click.option("--beam", multiple=True, type=click.IntRange(1), default=BEAMS, help="1: greedy.")
@click.option("--dtype", multiple=True, default=DTYPES, help="Of Auricle.")
@click.option("--keep", is_flag=True, help="The result's figures of other beams.")
@benchmark_options
def main(
    shape: str,
    beam: tuple[int, ...],
    dtype: tuple[str, ...],
    keep: bool,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Run the benchmark, print its table, write its result."""
    use_threads(threads)
    result = Result(shape, quick, threads, PACKAGES)
    with TemporaryDirectory() as folder:
        chosen = SHAPES[shape]
        plan = Plan(chosen, Path(folder), dtype, chosen.amount, threads=threads)
        if quick:
            plan = replace(plan, shape=plan.shape.small, amount=SMOKE_AMOUNT, rounds=1)
        plan.shape.save(plan.shape.dims, plan.folder)
        searches = [_search(plan, size) for size in dict.fromkeys(beam)]
    if keep:
        searches += _others(result.path(output), beam)
    result.write(_figures(plan, searches), output)


def _search(plan: Plan, beam: int) -> dict[str, Any]:
    """All contestants with beams of that size."""
    with ExitStack() as stack:
        makes = plan.shape.peers(plan.shape.dims, plan.amount, beam, plan.threads)
        peers = [stack.enter_context(Elsewhere(make)) for make in makes]
        ours = [stack.enter_context(Elsewhere(make)) for make in _ours(plan, beam)]
        standings = alternate(in_turn(ours, peers), plan.rounds)
    found = {"beam_size": beam, **_held_against(plan.shape.references, standings)}
    print(f"\nbeam size {beam}\n\n{_table(found)}", flush=True)
    return found


def _others(path: Path, beams: Sequence[int]) -> list[dict[str, Any]]:
    """The searches of an earlier result with other beams."""
    earlier = json.loads(path.read_text(encoding="utf-8"))["searches"]
    return [each for each in earlier if each["beam_size"] not in beams]


def _ours(plan: Plan, beam: int) -> Iterator[Make]:
    """In each dtype with each audio context; in that of the targets in a process a thread, too."""
    for dtype in dict.fromkeys(plan.dtypes):
        for context in plan.shape.targets:
            ways = (1, plan.threads) if dtype == plan.dtypes[0] else (1,)
            for processes in dict.fromkeys(ways):
                yield partial(auricle, plan, dtype, context, beam, processes=processes)


def auricle(
    plan: Plan, dtype: str, context: AudioContext, beam: int, *, processes: int = 1
) -> Auricle:
    """Ours, after a first run, which is slower."""
    use_threads(plan.threads)
    work = plan.amount.workload
    waveforms = work.samples()[: plan.amount.full_utterances if context == "full" else None]
    found = Auricle(
        our_name(dtype, context, processes),
        Recognizer.from_pretrained(
            plan.folder,
            device="cpu",
            dtype=dtype,
            engine=throughput(processes),
            audio_context=context,
        ),
        waveforms,
        replace(plan.shape.options, max_tokens=work.tokens, beam_size=beam),
        audio_seconds=sum(map(len, waveforms)) / SAMPLE_RATE,
    )
    found.run()
    return found


def our_name(dtype: str, context: AudioContext, processes: int = 1) -> str:
    """Of a contestant."""
    return f"auricle {dtype}, {context}{PROCESSES if processes > 1 else ''}"


def _held_against(references: Sequence[str], standings: Mapping[str, Standing]) -> dict[str, Any]:
    """Everybody's speed, and over that of each reference."""
    return {
        "contestants": {name: standing.to_dict() for name, standing in standings.items()},
        "over": {
            reference: {name: ratio(standings, name, reference) for name in standings}
            for reference in references
        },
    }


def _figures(plan: Plan, searches: Sequence[dict[str, Any]]) -> dict[str, Any]:
    work = plan.amount.workload
    return {
        "utterances": work.utterances,
        "tokens_each": work.tokens,
        "dtype_of_targets": plan.dtypes[0],
        "targets": dict(plan.shape.targets),
        "searches": sorted(searches, key=lambda search: int(search["beam_size"])),
    }


def _table(search: Mapping[str, Any]) -> str:
    over = search["over"]
    rows = [
        (
            name,
            found.get("batch_size", ""),
            found["audio_seconds_per_second"],
            *(ratios[name] for ratios in over.values()),
        )
        for name, found in search["contestants"].items()
    ]
    return table(("", "Batch", "Audio s/s", *(f"over {reference}" for reference in over)), rows)


if __name__ == "__main__":
    main()
