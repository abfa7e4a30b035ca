"""The command `auricle serve` runs the gRPC server."""

import asyncio
from dataclasses import asdict

import click

from auricle_cli.failure import Failure
from auricle_cli.groups import option_group
from auricle_cli.log_format import set_up_logging
from auricle_server.config import ServerConfig
from auricle_types.errors import AuricleError
from auricle_types.options import EngineConfig, LoadingOptions

LEVELS = ["debug", "info", "warning", "error"]


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
    """Serve a model over gRPC until SIGTERM or Ctrl-C, then finish the requests in progress.

    The first line on the standard output gives the address, once the server listens.
    """
    from auricle.recognizer import Recognizer
    from auricle_server import serve as run

    set_up_logging(log_level)
    try:
        with Recognizer.from_pretrained(**asdict(loading), engine=engine) as loaded:

            def ready(port: int) -> None:
                click.echo(f"auricle: serving {loaded.model_id} on {server.address(port)}")

            asyncio.run(run(loaded, server, ready=ready))
    except AuricleError as error:
        raise Failure(str(error)) from error
