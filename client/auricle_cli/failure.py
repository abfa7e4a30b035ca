"""How the command line says that nothing could be done."""

from typing import IO, Any

import click


class Failure(click.ClickException):
    """Ends the command with status 2 and one line on the standard error output."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message in the form of all our messages."""
        complain(self.message)


def complain(message: str) -> None:
    """One line on the standard error output."""
    click.echo(f"auricle: {message}", err=True)
