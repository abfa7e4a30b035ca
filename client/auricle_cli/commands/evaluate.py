"""The command `auricle evaluate` measures WER, CER and speed on a manifest."""

import json
from contextlib import closing
from pathlib import Path

import click

from auricle_cli.failure import complain
from auricle_cli.outcomes import exit_status
from auricle_cli.recognition import RecognitionSetup, recognition_options


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@recognition_options("word_timestamps")
@click.option(
    "--format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Output format; json is one object.",
)
@click.option("--worst", type=click.IntRange(0), default=5, help="Worst utterances to show.")
@click.option(
    "--normalizer",
    type=click.Choice(["plain", "whisper"]),
    default="plain",
    help="Rules that make texts comparable; whisper needs the package whisper-normalizer.",
)
@click.pass_context
def evaluate(
    ctx: click.Context,
    manifest: Path,
    recognition: RecognitionSetup,
    format: str,
    worst: int,
    normalizer: str,
) -> None:
    """Transcribe the utterances of MANIFEST and compare them with its texts.

    MANIFEST holds JSON lines with audio_filepath (relative to it), text and, optionally, duration.
    Both texts are normalised before the comparison. All words of an utterance that fails count as
    deletions.
    """
    from auricle.evaluation import evaluate as run
    from auricle.evaluation import normalizer as normalizer_of
    from auricle.evaluation import read_manifest
    from auricle_cli.scoring import recognizing

    normalize = normalizer_of(normalizer)
    utterances = read_manifest(manifest)
    with closing(recognition.open()) as transcriber:
        report = run(utterances, recognizing(transcriber, recognition.at_once), normalize)
    for each in report.failed:
        complain(f"{each.audio}: {each.error}")
    as_json = format == "json"
    click.echo(json.dumps(report.to_dict(worst)) if as_json else report.to_text(worst))
    ctx.exit(exit_status(len(report.failed), len(utterances)))
