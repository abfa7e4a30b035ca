"""The command `auricle models` lists, fetches, describes, converts and deletes models."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auricle_cli.connection import SERVER, TLS, Connection
from auricle_cli.failure import Failure
from auricle_cli.groups import option_group
from auricle_cli.model_list import Entry, bytes_text, local_and_known, served, table

if TYPE_CHECKING:
    from auricle.hub.known_models import KnownFile, KnownModel

DTYPES = ["float32", "bfloat16", "float16", "int8"]


def _list_options(command: Callable[..., None]) -> Callable[..., None]:
    decorators = [
        option_group(
            Connection, "connection", [replace(SERVER, help="Server whose models to list."), *TLS]
        ),
        click.option(
            "--timeout", type=click.FloatRange(min=0), default=10.0, help="Seconds to wait."
        ),
        click.option(
            "--format",
            type=click.Choice(["text", "json"]),
            default="text",
            help="Output format; json has one object a line.",
        ),
    ]
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


@click.group(invoke_without_command=True)
@_list_options
@click.pass_context
def models(ctx: click.Context, /, **_: object) -> None:
    """List, fetch, describe, convert and delete models.

    Without a subcommand it lists them.
    """
    ctx.default_map = {"list": ctx.params}
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, **ctx.params)


@models.command("list")
@_list_options
def list_(connection: Connection, timeout: float, format: str) -> None:
    """List the models on this machine and those that can be had by a short name.

    With --server, the server's models come first, its default model at the top, and the exit status
    is 0 only when it answers.
    """
    asked = _served(connection, timeout) if connection.server else []
    entries = [*asked, *local_and_known()]
    lines = map(json.dumps, entries) if format == "json" else table(entries)
    for line in lines:
        click.echo(line)


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Download NAME (a short name, owner/name, or owner/name@revision) from the Hugging Face Hub.

    The command prints the model's folder. It does not download existing files again, and it
    compares the SHA-256 of the weights with the published one.
    """
    from auricle.hub.download import pull as download

    click.echo(download(name))


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete NAME, in all its revisions, from the cache of the Hugging Face Hub."""
    from auricle.hub.cache import remove as delete

    click.echo(f"removed {name}: {bytes_text(delete(name))} freed")


@models.command()
@click.argument("model", default="bundled")
def show(model: str) -> None:
    """Print the description of MODEL (a name or a path) as JSON, without reading weights.

    For a short name it shows what is published: the files, their sizes and checksums. It downloads
    nothing.
    """
    from auricle.hub.known_models import find

    known = find(model) if not Path(model).exists() else None
    shown = _publication(known) if known is not None else _description(model)
    click.echo(json.dumps(shown, indent=2))


@models.command()
@click.argument("source")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--dtype",
    type=click.Choice(DTYPES),
    default="float32",
    help="Number type of the weights.",
)
@click.option(
    "--vocabulary",
    type=click.IntRange(1),
    metavar="MERGES",
    help="Keep so many merges of a Whisper model's vocabulary; by default all.",
)
def convert(source: str, target: Path, dtype: str, vocabulary: int | None) -> None:
    """Write SOURCE (a name or a path) as one self-describing safetensors file, TARGET.

    int8 takes a quarter of the space of float32. With fewer merges, words take a few more tokens.
    """
    from auricle.checkpoint import save_checkpoint
    from auricle.engine.devices import DTYPES as KINDS
    from auricle.engine.devices import loaded
    from auricle.naming import model_path
    from auricle.pretrained import load_pretrained
    from auricle.vocabulary import with_merges

    checkpoint = load_pretrained(model_path(source), dtype=loaded(KINDS[dtype]))
    if vocabulary is not None:
        checkpoint = with_merges(checkpoint, vocabulary)
    save_checkpoint(target, checkpoint.model, checkpoint.tokenizer, KINDS[dtype])


def _served(connection: Connection, timeout: float) -> list[Entry]:
    from auricle_client import AuricleError, Client

    try:
        with Client(connection.server, credentials=connection.credentials()) as client:
            return [served(model) for model in client.list_models(timeout=timeout)]
    except AuricleError as error:
        raise Failure(f"{connection.server}: {error}") from error


def _description(model: str | Path) -> dict[str, Any]:
    from auricle.naming import model_path
    from auricle.pretrained import describe

    config, parameters = describe(model_path(model))
    return {"parameters": parameters, **config.to_dict()}


def _publication(known: "KnownModel") -> dict[str, Any]:
    from auricle.hub.cache import has_files, snapshot_folder

    folder = snapshot_folder(known)
    is_here = has_files(folder, known)
    return {
        "name": known.name,
        "aliases": known.aliases,
        "repository": known.repository,
        "revision": known.revision,
        "licence": known.licence,
        "languages": known.languages,
        "parameters": known.parameters,
        "files": [_file(file) for file in known.files],
        "folder": str(folder) if is_here else None,
        "model": _description(folder) if is_here else None,
    }


def _file(file: "KnownFile") -> dict[str, Any]:
    """Describe a file, and how its download is checked."""
    stated = "the SHA-256 that the Hub states" if file.is_weights else "its size"
    checked = "its SHA-256" if file.sha256 is not None else stated
    return {**asdict(file), "checked_by": checked}
