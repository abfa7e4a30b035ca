"""The command `auricle train` trains a model from a recipe."""

import logging
from pathlib import Path

import click

from auricle_cli.failure import complain
from auricle_cli.interruption import INTERRUPTED


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--resume/--restart", default=True, help="Continue from the last checkpoint, if any.")
def train(config: Path, resume: bool) -> None:
    """Train a model from the recipe CONFIG (TOML); after an interruption, continue.

    To use several GPUs, run torchrun --nproc-per-node 2 -m auricle_cli train CONFIG
    """
    from auricle.training.trainer import train as run
    from auricle_types.errors import TrainingInterruptedError

    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    try:
        run(config, resume=resume)
    except TrainingInterruptedError as error:
        complain(str(error))
        raise SystemExit(INTERRUPTED) from error
