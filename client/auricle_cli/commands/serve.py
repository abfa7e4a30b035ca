"""`auricle serve`: the gRPC server."""

import asyncio
import logging
from typing import Any, get_args

import click

from auricle_cli.failure import Failure
from auricle_cli.groups import options_of
from auricle_cli.recognition import (
    CONTEXT_DEFAULT,
    CONTEXT_HELP,
    EXACT_HELP,
    FILE,
    LM_HELP,
    PROCESSES_HELP,
)
from auricle_server.config import ServerConfig
from auricle_types.errors import AuricleError
from auricle_types.options import AudioContext, EngineConfig

SERVER_HELP = {
    "host": "Address to listen on; 0.0.0.0 for all.",
    "port": "Port; 0 for any free one.",
    "metrics_port": "Port for Prometheus on the same address; 0 for any free one.",
    "max_message_bytes": "Largest gRPC message.",
    "max_upload_bytes": "Most bytes of one recording, in all of its messages.",
    "max_audio_seconds": "Longest recording.",
    "max_requests": "Requests in progress; one more is refused.",
    "max_pieces_in_flight": "Pieces of one recording in the engine at once.",
    "drain_seconds": "What running requests get after SIGTERM.",
    "tls_certificate": "PEM file; with --tls-key the server speaks TLS.",
    "tls_key": "PEM file.",
}
ENGINE_HELP = {
    "max_queue": "Pieces waiting for a batch; one more is refused.",
    "max_encode_seconds": "Audio encoded at a time, between two decode steps.",
    "slots": "Hypotheses decoded at once.",
    "max_cache_mib": "Memory for what decoding remembers of the audio, in MiB, on a CPU.",
    "exact": EXACT_HELP,
    "processes": PROCESSES_HELP,
}
LEVELS = ["debug", "info", "warning", "error"]


@click.command()
@click.option("--model", metavar="NAME|PATH", default="bundled", help="The model.")
@click.option("--lm", type=FILE, show_default="the model's, if any", help=LM_HELP)
@click.option("--device", metavar="cpu|cuda|auto", default="auto", help="Where to run.")
@click.option(
    "--dtype",
    metavar="TYPE",
    default="auto",
    help="Numbers to compute with: float32, bfloat16, float16 or int8.",
)
@click.option(
    "--audio-context",
    type=click.Choice(get_args(AudioContext)),
    show_default=CONTEXT_DEFAULT,
    help=CONTEXT_HELP,
)
@click.option(
    "--check-invariance",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Share of requests to decode again, alone, and to compare.",
)
@options_of(ServerConfig, "server", SERVER_HELP)
@options_of(EngineConfig, "engine", ENGINE_HELP)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", help="On standard error.")
def serve(
    server: ServerConfig,
    engine: EngineConfig,
    log_level: str,
    **loading: Any,  # noqa: ANN401 - of Recognizer.from_pretrained
) -> None:
    """Serve a model over gRPC until SIGTERM or Ctrl-C, then finish what was begun.

    The first line on the standard output says where it listens, once it does.
    """
    from auricle.recognizer import Recognizer
    from auricle_server import serve as run

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    try:
        with Recognizer.from_pretrained(engine=engine, **loading) as loaded:

            def ready(port: int) -> None:
                click.echo(f"auricle: serving {loaded.model_id} on {server.address(port)}")

            asyncio.run(run(loaded, server, ready=ready))
    except AuricleError as error:
        raise Failure(str(error)) from error
