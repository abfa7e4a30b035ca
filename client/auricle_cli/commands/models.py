"""`auricle models`: what a server serves, and the models in files and on the Hub."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from auricle_cli.connection import Connection, connection_options
from auricle_cli.failure import Failure

DTYPES = ["float32", "bfloat16", "float16", "int8"]


@click.group(invoke_without_command=True)
@connection_options
@click.option("--timeout", type=click.FloatRange(min=0), default=10.0, help="Seconds to wait.")
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: one object a line.",
)
@click.pass_context
def models(ctx: click.Context, connection: Connection, timeout: float, format: str) -> None:
    """List the models that a server serves, its default first; exit 0 only when it answers.

    `list` does the same. The other commands work here, without a server.
    """
    ctx.obj = (connection, timeout, format)
    if ctx.invoked_subcommand is None:
        _list(connection, timeout, format)


@models.command("list")
@click.pass_obj
def list_(obj: tuple[Connection, float, str]) -> None:
    """List the models that a server serves, its default first."""
    _list(*obj)


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Download NAME (owner/name, or owner/name@revision) from the Hugging Face Hub.

    Prints the folder where it lies. What is there already is not downloaded again.
    """
    from auricle.errors import ModelError
    from auricle.families import pull as download

    try:
        click.echo(download(name))
    except ModelError as error:
        raise Failure(str(error)) from error


@models.command()
@click.argument("model", default="bundled")
def show(model: str) -> None:
    """Print what MODEL (a name or a path) is made of, as JSON; no weight is read."""
    from auricle.errors import ModelError
    from auricle.families import describe
    from auricle.recognizer import model_path

    try:
        config, parameters = describe(model_path(model))
    except ModelError as error:
        raise Failure(str(error)) from error
    click.echo(json.dumps({"parameters": parameters, **config.to_dict()}, indent=2))


@models.command()
@click.argument("source")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--dtype", type=click.Choice(DTYPES), default="float32", help="Of the weights in the file."
)
@click.option(
    "--vocabulary",
    type=click.IntRange(1),
    metavar="MERGES",
    help="Keep so many merges of a Whisper model's vocabulary; by default all.",
)
def convert(source: str, target: Path, dtype: str, vocabulary: int | None) -> None:
    """Write SOURCE (a name or a path) as one self-describing safetensors file, TARGET.

    int8 takes a quarter of float32's space. With fewer merges, words take a few more tokens.
    """
    from auricle.checkpoint import save_checkpoint
    from auricle.engine.devices import DTYPES as KINDS
    from auricle.engine.devices import loaded
    from auricle.errors import InvalidOptionError, ModelError, StorageError
    from auricle.families import load_pretrained
    from auricle.recognizer import model_path
    from auricle.vocabulary import with_merges

    try:
        checkpoint = load_pretrained(model_path(source), dtype=loaded(KINDS[dtype]))
        if vocabulary is not None:
            checkpoint = with_merges(checkpoint, vocabulary)
        save_checkpoint(target, checkpoint.model, checkpoint.tokenizer, KINDS[dtype])
    except (ModelError, StorageError, InvalidOptionError) as error:
        raise Failure(str(error)) from error


def _list(connection: Connection, timeout: float, format: str) -> None:
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
