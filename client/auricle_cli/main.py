"""The entry point: finds the command, its settings, and leaves the rest to its file."""

import os
from pathlib import Path
from typing import Any

import click

from auricle_cli.lazy import LazyGroup
from auricle_cli.settings import read_settings

# As auricle.threads.wait_passively, which is not imported for a client of a server.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

COMMANDS = {
    "transcribe": "Transcribe recordings, folders of them, or the standard input.",
    "listen": "Show captions of what a microphone hears.",
    "serve": "Serve a model over gRPC and HTTP.",
    "evaluate": "Measure WER, CER and speed on a manifest.",
    "inspect": "Draw what a model attends to in a recording.",
    "bench": "Load a server and measure its latencies.",
    "train": "Train a model from a recipe.",
    "label": "Label a recipe's speech with a teacher model.",
    "lm": "Make a language model from a text.",
    "synthesize": "Turn sentences into synthetic training speech.",
    "models": "List, fetch, describe and delete models.",
    "health": "Check that a server is serving.",
    "demo": "Serve a model here and stream recordings through it.",
}
CONTEXT_SETTINGS: dict[str, Any] = {
    "auto_envvar_prefix": "AURICLE",
    "help_option_names": ["-h", "--help"],
    "show_default": True,
}


def _load_settings(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is not None and isinstance(ctx.command, click.Group):
        ctx.default_map = read_settings(path, ctx.command, ctx)


@click.group(
    "auricle",
    cls=LazyGroup,
    package="auricle_cli.commands",
    summaries=COMMANDS,
    context_settings=CONTEXT_SETTINGS,
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_load_settings,
    expose_value=False,
    is_eager=True,
    help="Settings in TOML, a table for each command.",
)
@click.version_option(package_name="auricle")
def main() -> None:
    """Turn speech into text, here or on a server.

    Every option of a command can also come from the environment (AURICLE_MODEL) or from the
    settings file ([transcribe] model). Flags win over the environment, and the environment wins
    over the file.

    The exit status is 0 when all inputs succeeded, 1 when some of them failed, 2 when nothing
    could be done or the usage was wrong, and 130 after an interruption.
    """
