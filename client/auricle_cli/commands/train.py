"""`auricle train`: a recipe in, a checkpoint out."""

import logging
from pathlib import Path

import click

from auricle_cli.failure import Failure


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--resume/--fresh", default=True, help="Go on from the last checkpoint, if any.")
def train(config: Path, resume: bool) -> None:
    """Train a model as the recipe CONFIG (TOML) says; interrupted, it goes on where it stopped."""
    from auricle.errors import AuricleError
    from auricle.training.trainer import train as run

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        run(config, resume=resume)
    except AuricleError as error:
        raise Failure(str(error)) from error
