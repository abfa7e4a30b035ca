"""The command `auricle demo` serves a model and streams recordings through a client."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auricle_cli.answers import Transcriber
from auricle_cli.connection import Connection
from auricle_cli.failure import complain
from auricle_cli.groups import option_group, some_of
from auricle_cli.inputs import Source, expand
from auricle_cli.outcomes import SourceOutcome, attempt, exit_status
from auricle_cli.recognition import RecognitionSetup
from auricle_cli.server_process import running_server
from auricle_types.options import LoadingOptions
from auricle_types.transcript import Segment

if TYPE_CHECKING:
    from auricle.evaluation import RecognizedText, Utterance


@click.command()
@click.argument("audio", nargs=-1)
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    default=Path("samples/manifest.jsonl"),
    help="Manifest of the recordings to use when there is no AUDIO.",
)
@option_group(LoadingOptions, "loading", some_of(LoadingOptions, "model"))
@click.pass_context
def demo(
    ctx: click.Context, audio: tuple[str, ...], samples: Path, loading: LoadingOptions
) -> None:
    """Serve a model on a free port, stream AUDIO or the samples through the client, stop.

    The samples have reference texts, so the demo ends with their word error rate.
    """
    utterances = [] if audio else _read(samples)
    with running_server(["--model", loading.model, "--log-level", "warning"]) as address:
        click.echo(f"auricle: serving {loading.model} on {address}")
        with closing(RecognitionSetup(Connection(address)).open()) as transcriber:
            if audio:
                ctx.exit(_transcribe(transcriber, audio))
            ctx.exit(_compare(transcriber, utterances))


def _transcribe(transcriber: Transcriber, audio: Sequence[str]) -> int:
    """Transcribe anybody's recordings. Returns the exit status."""
    sources, failures = expand(audio)
    for name, reason in failures:
        complain(f"{name}: {reason}")
    answers = [_stream(transcriber, source) for source in sources]
    failed = len(failures) + sum(answer.transcript is None for answer in answers)
    return exit_status(failed, len(sources) + len(failures))


def _compare(transcriber: Transcriber, utterances: Sequence["Utterance"]) -> int:
    """Utterances with references, and the word error rate. Returns the exit status."""
    from auricle.evaluation import evaluate
    from auricle_cli.scoring import hypothesis, source_of

    def recognize(_: Sequence["Utterance"]) -> Iterator["RecognizedText"]:
        for utterance in utterances:
            answer = _stream(transcriber, source_of(utterance))
            click.echo(f"  reference:  {utterance.text}")
            yield hypothesis(answer)

    report = evaluate(utterances, recognize)
    click.echo(f"\n{report.to_text()}")
    return exit_status(len(report.failed), len(utterances))


def _stream(transcriber: Transcriber, source: Source) -> SourceOutcome:
    answer = attempt(lambda each: transcriber.stream(each, _ignore), source)
    if answer.transcript is None:
        complain(f"{source.name}: {answer.error}")
    else:
        click.echo(f"\n{source.name} ({answer.transcript.duration:.1f} s)")
        click.echo(f"  recognised: {answer.transcript.text}")
    return answer


def _ignore(_: Segment) -> None:
    """The whole transcript follows."""


def _read(samples: Path) -> list["Utterance"]:
    from auricle.evaluation import read_manifest

    return read_manifest(samples)
