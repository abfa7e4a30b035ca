"""The command `auricle synthesize` makes synthetic training speech from sentences."""

from pathlib import Path
from typing import Any

import click

from auricle_cli.failure import Failure

ENGINES = ("espeak-ng", "flite", "festival")  # auricle's own would cost the import of torch
DEFAULT_ENGINES = ("espeak-ng", "flite")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("text", type=_FILE)
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--hours", type=float, required=True, help="Hours of speech to make.")
@click.option("--seed", type=int, default=0, help="Seed of the choice of sentences and voices.")
@click.option("--workers", type=int, help="Processes at once; by default one for each CPU.")
@click.option("--shard-hours", type=float, default=1.0, help="Hours of speech in one tar file.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    multiple=True,
    default=DEFAULT_ENGINES,
    help="Speech engine; may be given more than once.",
)
@click.option("--punctuated", type=_FILE, help="TEXT with its punctuation, for better prosody.")
@click.option(
    "--sources", type=_FILE, help="File with each line's origin; cv: lines come more often."
)
def synthesize(
    text: Path,
    out: Path,
    punctuated: Path | None,
    sources: Path | None,
    engine: tuple[str, ...],
    workers: int | None,
    **speech: Any,  # noqa: ANN401 - SynthesisConfig's fields
) -> None:
    """Synthesize the sentences of TEXT, one per line, into tar shards and a manifest in OUT.

    The same seed gives the same speech with any number of workers. When run again, the command
    keeps the finished shards and continues, also to more hours. Files that end in .xz are unpacked.
    """
    from auricle.training import synthesis

    if workers is not None:
        speech["workers"] = workers
    try:
        config = synthesis.SynthesisConfig(engines=engine, **speech)
        sentences = synthesis.read_sentences(text, punctuated=punctuated, sources=sources)
        summary = synthesis.synthesize(sentences, out, config)
    except OSError as error:
        raise Failure(str(error)) from error
    click.echo(
        f"{out}: {summary.seconds / 3600:.2f} h, {summary.utterances} utterances, "
        f"{summary.shards} shards, {summary.skipped} sentences skipped"
    )
