"""The command `auricle serve` runs the server."""

import asyncio
import logging
import multiprocessing
import os
import threading
from dataclasses import asdict
from functools import partial

import click

from auricle_cli.groups import option_group
from auricle_cli.log_format import set_up_logging
from auricle_server.config import ServerConfig
from auricle_types.options import EngineConfig, LoadingOptions

LEVELS = ["debug", "info", "warning", "error"]
GRACE_SECONDS = 7.0  # after the drain, for threads and processes to end by themselves

logger = logging.getLogger(__name__)


@click.command()
@option_group(LoadingOptions, "loading")
@option_group(ServerConfig, "server", is_shared=False)  # AURICLE_PORT is Kubernetes' own variable
@option_group(EngineConfig, "engine")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    help="Level of the log on the standard error output.",
)
def serve(
    loading: LoadingOptions, server: ServerConfig, engine: EngineConfig, log_level: str
) -> None:
    """Serve a model over gRPC and HTTP until SIGTERM or Ctrl-C, then finish what is in progress.

    The first line on the standard output gives the address, once the server listens.
    """
    from auricle.recognizer import Recognizer
    from auricle_server import configured_protocols
    from auricle_server import serve as run

    set_up_logging(log_level)
    with Recognizer.from_pretrained(**asdict(loading), engine=engine) as loaded:

        def ready(port: int) -> None:
            click.echo(f"auricle: serving {loaded.model_id} on {server.address(port)}")

        stopping = partial(end_within, server.drain_seconds + GRACE_SECONDS)
        protocols = configured_protocols(server)
        asyncio.run(run(loaded, server, ready=ready, stopping=stopping, protocols=protocols))


def end_within(seconds: float) -> None:
    """End this process and those that it has started after `seconds`, whatever hangs in it."""
    report = partial(logger.error, "the server hangs: it ends by force, with status 1")
    for delay, action in ((seconds - 1, report), (seconds, _end)):  # the log may hang, too
        timer = threading.Timer(min(delay, threading.TIMEOUT_MAX), action)
        timer.daemon = True
        timer.start()


def _end() -> None:
    try:
        for process in multiprocessing.active_children():
            process.kill()
    finally:
        os._exit(1)
