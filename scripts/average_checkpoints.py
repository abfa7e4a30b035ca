"""Averages two checkpoints of one model, as docs/training.md tells.

python scripts/average_checkpoints.py A.safetensors B.safetensors OUT.safetensors
"""

from pathlib import Path

import click
import torch

from auricle.checkpoint import load_checkpoint, save_checkpoint
from auricle.model import SpeechTransformer
from auricle_types.errors import AuricleError, CheckpointMismatchError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def average(model: SpeechTransformer, other: SpeechTransformer) -> None:
    """Move the weights of `model` half-way to those of `other` (Wortsman et al. 2022).

    Raises CheckpointMismatchError when they have other dimensions.
    """
    if model.config.transformer != other.config.transformer:
        raise CheckpointMismatchError("the checkpoints are of models of different dimensions")
    others = other.state_dict()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            weight.lerp_(others[name], 0.5)


@click.command(help=__doc__)
@click.argument("first", type=_FILE)
@click.argument("second", type=_FILE)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def main(first: Path, second: Path, out: Path) -> None:
    """Write the mean, in bfloat16, with the first one's tokenizer."""
    try:
        found = load_checkpoint(first)
        average(found.model, load_checkpoint(second).model)
        save_checkpoint(out, found.model, found.tokenizer, torch.bfloat16)
    except AuricleError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
