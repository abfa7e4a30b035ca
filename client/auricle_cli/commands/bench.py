"""The command `auricle bench` loads a server and measures rates and latencies."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import click
from click.exceptions import Exit
from tqdm import tqdm

from auricle_cli.connection import Connection, connection_options
from auricle_cli.failure import Failure
from auricle_cli.groups import option_group, some_of
from auricle_cli.load import (
    Clips,
    LoadReport,
    RequestResult,
    RequestSettings,
    Saturation,
    Traffic,
    measure,
    saturation,
)
from auricle_client import AsyncClient, RecognitionOptions
from auricle_types.options import DecodingOptions

CONNECT_SECONDS = 10.0
GRACE_SECONDS = 5.0  # for errors to arrive after their requests gave up


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@connection_options
@option_group(Traffic, "traffic", is_shared=False)
@click.option("--sweep", is_flag=True, help="Double the rate until the server is full.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    help="Seconds until a request gives up.",
)
@option_group(DecodingOptions, "decoding", some_of(DecodingOptions, "max_tokens"))
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Output format; json is one object.",
)
def bench(
    files: tuple[Path, ...],
    connection: Connection,
    traffic: Traffic,
    sweep: bool,
    timeout: float,
    decoding: DecodingOptions,
    format: str,
) -> None:
    """Load a server and report rates, latencies and errors.

    Requests arrive at random (Poisson), whether or not earlier ones were answered, and each
    latency counts from the time at which the request should have come. WAV FILES are cut to mixed
    lengths, other formats are sent whole, and without FILES the audio is noise.

    The exit status is 1 when a request failed unexpectedly; --sweep causes such failures on
    purpose and does not count them.
    """
    if sweep and (traffic.disconnects or traffic.garbage):
        raise click.UsageError("--sweep goes without --disconnects and --garbage")
    patience = timeout + GRACE_SECONDS
    settings = RequestSettings(
        RecognitionOptions(max_tokens=decoding.max_tokens), timeout, patience=patience
    )
    clips = Clips.of(files) if files else Clips.noise(traffic.seed)
    report = asyncio.run(_run(connection, traffic, clips, settings, sweep=sweep))
    if isinstance(report, Saturation) and not report.rate:
        raise Failure(f"the server answered nothing ({first_errors(report)}): it cannot be filled")
    click.echo(json.dumps(report.to_dict()) if format == "json" else report.to_text())
    raise Exit(exit_status(report))


async def _run(
    connection: Connection,
    traffic: Traffic,
    clips: Clips,
    settings: RequestSettings,
    *,
    sweep: bool,
) -> LoadReport | Saturation:
    async with _connected(connection) as client:
        if not sweep:
            return await _shown(client, traffic, clips, settings)
        impatient = replace(settings, patience=0.0)  # who is full need not serve them all
        return await saturation(lambda more: _shown(client, more, clips, impatient), traffic)


@asynccontextmanager
async def _connected(connection: Connection) -> AsyncIterator[AsyncClient]:
    """A client of a server that answers. Raises AuricleError where none does."""
    async with AsyncClient(connection.server, credentials=connection.credentials()) as client:
        await client.list_models(timeout=CONNECT_SECONDS)
        yield client


async def _shown(
    client: AsyncClient, traffic: Traffic, clips: Clips, settings: RequestSettings
) -> LoadReport:
    """One run, under a bar on the standard error output, if that is a terminal."""
    total = sum(1 for _ in traffic.arrivals())
    with tqdm(total=total, unit="request", leave=False, disable=not sys.stderr.isatty()) as bar:

        def advance(_: RequestResult) -> None:
            bar.update()

        return await measure(client, traffic, clips, settings, advance)


def first_errors(saturation: Saturation) -> str:
    """What became of the requests of the first run."""
    errors = saturation.runs[0].errors
    return ", ".join(f"{reason}: {count}" for reason, count in errors.items()) or "no errors either"


def exit_status(report: LoadReport | Saturation) -> int:
    """0, or 1 when requests failed that were not meant to."""
    return int(isinstance(report, LoadReport) and bool(report.errors))
