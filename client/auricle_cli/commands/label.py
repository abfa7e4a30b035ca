"""The command `auricle label` prepares a teacher's labels for `auricle train`."""

import logging
from pathlib import Path

import click


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def label(config: Path) -> None:
    """Label the speech of the recipe CONFIG (TOML) with its [teacher] model.

    A label is the reference text in the teacher's case and punctuation, with the tokens that the
    teacher found likely at each position. After an interruption the same command continues.
    """
    from auricle.training.labels import label as run

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    click.echo(f"{run(config)} utterances")
