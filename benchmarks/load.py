"""A server under open-loop load, continuous and static batching: python -m benchmarks.load.

First the rate at which the server is full, then a longer run at 70 % of it, both by the library
behind `auricle bench`: Poisson arrivals, 2 to 15 s cut from samples/, a quarter of them streams,
5 % hanging up and 5 % sending garbage in the longer run. Then the same traffic against the same
model with static batching. The generator and the server share the machine.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from auricle_cli.load import (
    Clips,
    LoadReport,
    RequestSettings,
    Saturation,
    Traffic,
    measure,
    saturation,
)
from auricle_cli.server_process import running_server
from auricle_client import AsyncClient
from benchmarks.command import benchmark_options, use_threads
from benchmarks.recordings import SAMPLES
from benchmarks.results import Result, table

SHARE = 0.7  # of saturation
AT_ONCE = 960.0  # seconds of audio: a static batch takes all that waits, as far as slots go
CONTINUOUS, STATIC = "continuous", "static"
OPTIONS = ["--log-level", "warning"]
SERVERS: Mapping[str, tuple[str, list[str]]] = {
    CONTINUOUS: ("auricle_cli", OPTIONS),
    STATIC: ("benchmarks.static_server", [*OPTIONS, "--max-encode-seconds", f"{AT_ONCE:g}"]),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The traffic that is offered."""

    sweep: Traffic
    steady: Traffic


FULL_PLAN = Plan(
    sweep=Traffic(rate=4.0, duration=30.0),
    steady=Traffic(duration=75.0, disconnects=0.05, garbage=0.05, seed=100),
)
SMOKE_PLAN = Plan(
    sweep=Traffic(rate=200.0, duration=0.1, shortest=0.1, longest=0.2, streams=0.0),
    steady=Traffic(duration=1.0, shortest=0.1, longest=0.2, seed=1),
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What was measured of one server."""

    full: Saturation
    steady: LoadReport

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON wants them."""
        return {"saturation": self.full.to_dict(), "steady": self.steady.to_dict()}


@click.command(help=__doc__)
@benchmark_options
def main(quick: bool, threads: int, output: Path | None) -> None:
    """Run the benchmark, print its table, write its result."""
    plan = SMOKE_PLAN if quick else FULL_PLAN
    use_threads(threads)
    result = Result("load", quick, threads)
    continuous = under_load(CONTINUOUS, plan)
    static = under_load(STATIC, plan, rate=share_of(continuous.full))
    print(_table({CONTINUOUS: continuous, STATIC: static}))
    print(f"\ncontinuous at {SHARE:.0%} of saturation:\n{continuous.steady.to_text()}")
    result.write(_figures(continuous, static), output)


def under_load(kind: str, plan: Plan, rate: float | None = None) -> Findings:
    """Start a server, find where it is full, offer `rate` or a share of that for longer."""
    module, options = SERVERS[kind]
    with running_server(options, module=module) as address:
        return asyncio.run(_under_load(address, plan, rate))


async def _under_load(address: str, plan: Plan, rate: float | None) -> Findings:
    clips, impatient = Clips.of(sorted(SAMPLES.glob("*.wav"))), RequestSettings(patience=0.0)
    async with AsyncClient(address) as client:
        await measure(client, replace(plan.sweep, seed=9), clips)  # the first ones are slower
        full = await saturation(lambda more: measure(client, more, clips, impatient), plan.sweep)
        steady = replace(plan.steady, rate=rate or share_of(full))
        return Findings(full, await measure(client, steady, clips))


def share_of(full: Saturation) -> float:
    """The rate of the longer run; some, even where nothing was answered."""
    return max(SHARE * full.rate, 0.1)


def _figures(continuous: Findings, static: Findings) -> dict[str, Any]:
    return {
        "p99_over_p50": _tail(continuous.steady),
        "saturation_rate": continuous.full.rate,
        "saturation_over_static": _over(continuous.full.rate, static.full.rate),
        "steady_rate": round(share_of(continuous.full), 3),
        CONTINUOUS: continuous.to_dict(),
        STATIC: static.to_dict(),
    }


def _tail(report: LoadReport) -> float | None:
    return _over(report.latency.p99, report.latency.p50) if report.latency else None


def _over(a: float, b: float) -> float | None:
    return round(a / b, 3) if b else None


def _table(servers: Mapping[str, Findings]) -> str:
    rows = []
    for name, found in servers.items():
        latency = found.steady.latency
        tail = [f"{value:.2f}" for value in (latency.p50, latency.p99)] if latency else ["", ""]
        share = f"{found.steady.padding_efficiency or 0:.1%}"
        rows.append((name, f"{found.full.rate:.2f}", *tail, _tail(found.steady), share))
    head = ("Batching", "Full at, requests/s", "p50, s", "p99, s", "p99/p50", "Useful frames")
    return table(head, rows)


if __name__ == "__main__":
    main()
