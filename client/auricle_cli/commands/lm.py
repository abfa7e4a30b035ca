"""The command `auricle lm` makes an n-gram language model for beam search."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auricle_cli.failure import Failure

if TYPE_CHECKING:
    from auricle.language_model import NGramModel
    from auricle.tokenizer import Tokenizer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("text", type=_FILE)
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--model",
    metavar="NAME|PATH",
    required=True,
    help="Model with the tokenizer to use.",
)
@click.option("--sources", type=_FILE, help="File with each line's origin; cv: lines weigh more.")
@click.option("--manifest", type=_FILE, multiple=True, help="Manifest with texts to add.")
@click.option(
    "--manifest-weight",
    type=click.FloatRange(0, min_open=True),
    default=6.0,
    help="Weight of a manifest's text, where a line from a novel has 1.",
)
@click.option("--order", type=click.IntRange(2), default=7, help="Tokens in the longest n-grams.")
@click.option("--ngrams", type=click.IntRange(1), default=2_000_000, help="Most n-grams to keep.")
@click.option("--check", type=_FILE, multiple=True, help="Manifest to measure perplexity on.")
def lm(
    text: Path,
    output: Path,
    model: str,
    order: int,
    ngrams: int,
    check: tuple[Path, ...],
    manifest: tuple[Path, ...],
    **texts: Any,  # noqa: ANN401 - of read_lines
) -> None:
    """Make an n-gram language model from TEXT, one sentence per line, and write it to OUTPUT.

    Models with the tokenizer of --model can use it: give it as --lm, or put it beside the
    checkpoint, as english.lm.safetensors beside english.safetensors. The same input gives the same
    file. Files that end in .xz are unpacked.
    """
    from auricle.checkpoint import load_checkpoint
    from auricle.language_model import save_language_model
    from auricle.naming import model_path
    from auricle.tokenizer import Tokenizer
    from auricle.training import language_model

    logging.basicConfig(level="INFO", format="%(message)s")
    try:
        tokenizer = load_checkpoint(model_path(model)).tokenizer
        if not isinstance(tokenizer, Tokenizer):
            raise Failure(f"{model}: language models are for models of our own")
        lines = language_model.read_lines(text, manifests=manifest, **texts)
        built = language_model.build(lines, tokenizer, order=order, most=ngrams)
        save_language_model(output, built, tokenizer)
        for path in check:
            click.echo(f"{path}: {_perplexity(built, tokenizer, path):.1f}")
    except OSError as error:
        raise Failure(str(error)) from error
    click.echo(f"{output}: {len(built)} n-grams of {len(lines)} lines, {_mb(output)} MB")


def _perplexity(built: "NGramModel", tokenizer: "Tokenizer", manifest: Path) -> float:
    from auricle.evaluation import read_manifest
    from auricle.training.language_model import perplexity

    return perplexity(built, tokenizer, [each.text for each in read_manifest(manifest)])


def _mb(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f}"
