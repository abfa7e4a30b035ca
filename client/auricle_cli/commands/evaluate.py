"""`auricle evaluate`: a manifest in, WER, CER and speed out."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auricle_cli.answers import Transcriber
from auricle_cli.display import progress
from auricle_cli.failure import Failure, complain
from auricle_cli.outcomes import Outcome, outcomes
from auricle_cli.recognition import Recognition, recognition_options
from auricle_cli.sources import Source

if TYPE_CHECKING:
    from auricle.evaluation import Hypothesis


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@recognition_options
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text")
@click.option("--worst", type=click.IntRange(0), default=5, help="Show the worst utterances.")
def evaluate(manifest: Path, recognition: Recognition, output_format: str, worst: int) -> None:
    """Recognise the utterances of MANIFEST and compare with its texts.

    MANIFEST holds JSON lines with audio_filepath (relative to it), text and, optionally, duration.
    Both texts are normalised (auricle.evaluation.normalize states how). An utterance that fails
    counts as all deletions.
    """
    from auricle.errors import ManifestError
    from auricle.evaluation import evaluate as run
    from auricle.evaluation import read_manifest

    try:
        utterances = read_manifest(manifest)
    except ManifestError as error:
        raise Failure(str(error)) from error
    with closing(recognition.open()) as transcriber:
        report = run(utterances, Recognize(transcriber, recognition.concurrency))
    for each in report.failed:
        complain(f"{each.audio}: {each.error}")
    as_json = output_format == "json"
    click.echo(json.dumps(report.to_dict(worst)) if as_json else report.to_text(worst))
    if report.failed:
        raise click.exceptions.Exit(1 if len(report.failed) < len(utterances) else 2)


class Recognize:
    """Paths in, hypotheses out, in order: what an evaluation asks of a transcriber."""

    def __init__(self, transcriber: Transcriber, concurrency: int) -> None:
        self._transcriber = transcriber
        self._concurrency = concurrency

    def __call__(self, paths: Sequence[Path]) -> Iterator["Hypothesis"]:
        """Recognise the files at `paths`."""
        sources = [Source(str(path)) for path in paths]
        answers = outcomes(self._transcriber.transcribe, sources, self._concurrency)
        return map(_hypothesis, progress(answers, len(sources)))


def _hypothesis(outcome: Outcome) -> "Hypothesis":
    from auricle.evaluation import Hypothesis

    if outcome.transcript is None:
        return Hypothesis(error=outcome.error or "failed")
    return Hypothesis(outcome.transcript.text, outcome.transcript.duration)
