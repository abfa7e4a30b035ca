"""`auricle models`: what a server serves."""

import json
from dataclasses import asdict

import click

from auricle_cli.connection import Connection, connection_options
from auricle_cli.failure import Failure


@click.command()
@connection_options
@click.option("--timeout", type=click.FloatRange(min=0), default=10.0, help="Seconds to wait.")
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: one object a line.",
)
def models(connection: Connection, timeout: float, format: str) -> None:
    """List the models that a server serves, its default first; exit 0 only when it answers."""
    from auricle_client import AuricleClientError, Client

    try:
        with Client(connection.server, credentials=connection.credentials()) as client:
            served = client.list_models(timeout=timeout)
    except AuricleClientError as error:
        raise Failure(f"{connection.server}: {error}") from error
    for model in served:
        if format == "json":
            click.echo(json.dumps(asdict(model)))
        else:
            window = f"{model.window_seconds:g} s"
            row = (model.model_id, model.name, model.language, window, model.device, model.dtype)
            click.echo("\t".join(row))
