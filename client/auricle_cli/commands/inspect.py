"""The command `auricle inspect` draws what a model attends to in a recording."""

from pathlib import Path

import click

from auricle_cli.failure import Failure, complain
from auricle_cli.groups import option_group, some_of
from auricle_types.options import LoadingOptions


@click.command()
@click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the picture, a PNG.",
)
@option_group(LoadingOptions, "loading", some_of(LoadingOptions, "model"))
@click.option(
    "--layer",
    type=click.IntRange(1),
    show_default="the last",
    help="Encoder layer whose attention heads are drawn, counted from 1.",
)
def inspect(audio: Path, output: Path, loading: LoadingOptions, layer: int | None) -> None:
    """Draw what a model looks at in AUDIO, which must fit the model's window.

    The picture shows the features, the self-attention of each head of an encoder layer, the
    decoder's cross-attention for each token, the times of the words, and the posteriors of the CTC
    head where the model has one.
    """
    try:
        from auricle.inspection.picture import draw
    except ModuleNotFoundError as missing:
        raise Failure(f"{missing}: pip install 'auricle[plots]'") from missing
    from auricle.audio import load_audio
    from auricle.inspection import observe
    from auricle.naming import model_path
    from auricle.pretrained import load_pretrained
    from auricle_types.errors import AudioError

    try:
        loaded = load_audio(audio)
        observation = observe(load_pretrained(model_path(loading.model)), loaded, layer)
    except AudioError as error:
        raise Failure(f"{audio}: {error}") from error
    for warning in loaded.warnings:
        complain(f"{audio}: warning: {warning}")
    try:
        draw(observation, audio.name).savefig(output, format="png")
    except OSError as error:
        raise Failure(f"{output}: {error.strerror or error}") from error
