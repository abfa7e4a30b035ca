"""`auricle label`: what a teacher says of a recipe's speech, before `auricle train`."""

import logging
from pathlib import Path

import click

from auricle_cli.failure import Failure


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def label(config: Path) -> None:
    """Write the labels that the recipe CONFIG (TOML) trains on, by the teacher of its [teacher].

    A label is the reference in the teacher's case and punctuation, and what else the teacher
    thought likely at each token. Interrupted, the command goes on where it stopped.
    """
    from auricle.training.labels import label as run
    from auricle_types.errors import AuricleError

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        count = run(config)
    except AuricleError as error:
        raise Failure(str(error)) from error
    click.echo(f"{count} utterances")
