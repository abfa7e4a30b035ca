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
    "serve": "Serve a model over gRPC.",
    "evaluate": "Measure WER, CER and speed on a manifest.",
    "inspect": "Draw what a model looks at in a recording.",
    "bench": "Put a server under load.",
    "train": "Train a model as a recipe says.",
    "label": "Label a recipe's speech by a teacher.",
    "lm": "Make a language model of a text.",
    "synthesize": "Speak sentences into training data.",
    "models": "List, fetch, describe and delete models.",
    "health": "Ask a server whether it serves.",
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

    Exit status: 0 all went well; 1 some inputs failed, the others were transcribed; 2 nothing
    could be done, or wrong usage; 130 interrupted.
    """
