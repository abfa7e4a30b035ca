"""A command group that imports a command's file when the command is called."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from auricle_cli.failure import Failure
from auricle_cli.interruption import interruptible
from auricle_cli.streams import writable_output
from auricle_types.errors import AuricleError


class LazyGroup(click.Group):
    """Command `name` is the object `name` in the module `name` of `package`.

    `summaries` holds the line that `--help` shows for each, so that it needs no import either.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own arguments pass through
        package: str,
        summaries: Mapping[str, str],
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._summaries = dict(summaries)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order in which they were given."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of this name."""
        if cmd_name not in self._summaries:
            return None
        module = importlib.import_module(f"{self._package}.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run the command line; an output that cannot be written ends it with one line."""
        with writable_output():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what click returns
        """Run the command; an error of ours ends it with status 2 and one line.

        Ctrl-C ends the process with 130 once the command has cleaned up.
        """
        try:
            with interruptible():
                return super().invoke(ctx)
        except AuricleError as error:
            raise Failure(str(error)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))
