"""The gRPC server beside the engine in process: python -m benchmarks.server.

The same utterances, in turns: all given at once to a recogniser in this process; given to it by 32
callers, each of whom waits for its answer; and sent by 32 concurrent clients over loopback to
`auricle serve` in a process of its own. All ask the VAD about each utterance, and the clients and
the server share the machine. There are
two models: the bundled one on the recordings of samples/, and a random Whisper-tiny on noise with
exactly 32 tokens an utterance.
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from auricle.checkpoint import load_checkpoint, save_checkpoint
from auricle.config import TransformerConfig
from auricle.naming import BUNDLED, model_path
from auricle.threads import in_own_thread
from auricle_cli.server_process import running_server
from benchmarks.command import benchmark_options, use_threads
from benchmarks.ours import THROUGHPUT, Auricle, recognizer
from benchmarks.recordings import seconds, speech, wav
from benchmarks.remote import Clients
from benchmarks.results import Result, table
from benchmarks.rounds import Standing, alternate, ratio
from benchmarks.workload import FULL, QUICK, SMOKE, WHISPER_TINY, Workload, exactly, talker

ENGINE, CALLERS, SERVER = "engine", "callers", "server"
TINY = "whisper-tiny"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    workload: Workload = FULL
    dims: TransformerConfig = WHISPER_TINY
    clients: int = 32
    rounds: int = 5
    dtype: str = "auto"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and what it has to do."""

    path: Path
    waveforms: Sequence[npt.NDArray[np.float32]]
    tokens: int | None = None


SMOKE_PLAN = Plan(QUICK, SMOKE, clients=2, rounds=1)


@click.command(help=__doc__)
@click.option("--dtype", default="auto", help="Numbers to compute with.")
@benchmark_options
def main(dtype: str, quick: bool, threads: int, output: Path | None) -> None:
    """Run the benchmark, print its table, write its result."""
    plan = replace(SMOKE_PLAN if quick else Plan(), dtype=dtype)
    use_threads(threads)
    result = Result("server", quick, threads)
    with tempfile.TemporaryDirectory() as folder:
        models = {name: race(plan, subject) for name, subject in _subjects(plan, Path(folder))}
    print(_table(models))
    result.write(_figures(plan, models), output)


def race(plan: Plan, subject: Subject) -> dict[str, Standing]:
    """Engine and server in turns."""
    audio_seconds, tokens = seconds(subject.waveforms), subject.tokens
    options = ["--model", str(subject.path), "--dtype", plan.dtype, "--log-level", "warning"]
    options += ["--max-encode-seconds", str(THROUGHPUT.max_encode_seconds)]
    options += ["--slots", str(THROUGHPUT.slots)]
    with ExitStack() as stack:
        loaded = stack.enter_context(
            recognizer(in_own_thread(lambda: load_checkpoint(subject.path)), plan.dtype)
        )
        address = stack.enter_context(running_server(options))
        files = [wav(each) for each in subject.waveforms]
        clients = Clients(
            SERVER, address, files, tokens, clients=plan.clients, audio_seconds=audio_seconds
        )
        stack.enter_context(closing(clients))
        ours = partial(
            Auricle,
            recognizer=loaded,
            waveforms=subject.waveforms,
            options=exactly(tokens),
            audio_seconds=audio_seconds,
            cutting=True,
        )
        contestants = (ours(ENGINE), ours(CALLERS, at_once=plan.clients), clients)
        for each in contestants:
            each.run()  # the first run is slower
        return alternate(contestants, plan.rounds)


def _subjects(plan: Plan, folder: Path) -> list[tuple[str, Subject]]:
    work, path = plan.workload, folder / "tiny.safetensors"
    random = in_own_thread(lambda: talker(plan.dims))
    save_checkpoint(path, random.model, random.tokenizer)
    return [
        (BUNDLED, Subject(model_path(BUNDLED), speech(4 * work.utterances))),  # short ones
        (TINY, Subject(path, work.samples(), work.tokens)),
    ]


def _figures(plan: Plan, models: Mapping[str, Mapping[str, Standing]]) -> dict[str, Any]:
    """Each ratio is the lower one of the two models'."""
    over_engine, over_callers = _ratios(models, ENGINE), _ratios(models, CALLERS)
    return {
        "grpc_over_engine": min(over_engine.values()),
        "grpc_over_engine_by_model": over_engine,
        "grpc_over_callers": min(over_callers.values()),
        "grpc_over_callers_by_model": over_callers,
        "clients": plan.clients,
        "models": {
            name: {side: standing.to_dict() for side, standing in standings.items()}
            for name, standings in models.items()
        },
    }


def _ratios(models: Mapping[str, Mapping[str, Standing]], side: str) -> dict[str, float]:
    return {name: ratio(standings, SERVER, side) or 0.0 for name, standings in models.items()}


def _table(models: Mapping[str, Mapping[str, Standing]]) -> str:
    over_engine, over_callers = _ratios(models, ENGINE), _ratios(models, CALLERS)
    rows = [
        (
            name,
            *(f"{sides[side].speed:.1f}" for side in (ENGINE, CALLERS, SERVER)),
            over_engine[name],
            over_callers[name],
        )
        for name, sides in models.items()
    ]
    head = ("Audio s/s", "Engine", "32 callers", "Server", "Server/engine", "Server/callers")
    return table(head, rows)


if __name__ == "__main__":
    main()
