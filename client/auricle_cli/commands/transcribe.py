"""The command `auricle transcribe` turns audio files into text."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

import click

from auricle_cli.answers import Transcriber
from auricle_cli.display import Display, LiveDisplay, progress
from auricle_cli.failure import complain
from auricle_cli.formats import WRITERS, labelled_text
from auricle_cli.inputs import STDIN, Source, expand
from auricle_cli.outcomes import SourceOutcome, attempt, exit_status, outcomes
from auricle_cli.recognition import RecognitionSetup, recognition_options
from auricle_cli.streams import require_output


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@recognition_options()
@click.option("--stream", is_flag=True, help="Read, recognise and print while the audio comes in.")
@click.option(
    "--format",
    type=click.Choice(list(WRITERS)),
    default="text",
    help="Output format; json has one object a line, srt and vtt are subtitles of one input.",
)
@click.option(
    "--speakers",
    type=click.IntRange(0, 20),
    help="Number of people to tell apart, 0 to find it; needs the extra auricle[diarize].",
)
@click.pass_context
def transcribe(
    ctx: click.Context,
    files: tuple[str, ...],
    recognition: RecognitionSetup,
    stream: bool,
    format: str,
    speakers: int | None,
) -> None:
    """Transcribe FILES: recordings, folders of them, or - for the standard input.

    Transcripts keep the order of the inputs. With several inputs, each transcript follows its name
    and a tab. Inputs that fail are named on the standard error output.
    """
    if recognition.decoding.word_timestamps and format != "json":
        raise click.UsageError("--word-timestamps are for json alone: add --format json")
    if speakers is not None and (stream or STDIN in files):
        raise click.UsageError("--speakers needs whole files: leave --stream and - out")
    require_output()
    sources, missing = expand(files)
    total = len(sources) + len(missing)
    display = _display(format, stream, several=total > 1)
    for name, reason in missing:
        complain(f"{name}: {reason}")
    opener = partial(_open, recognition, speakers)
    done = _run(sources, opener, recognition.at_once, display, stream=stream) if sources else 0
    ctx.exit(exit_status(total - done, total))


def _open(recognition: RecognitionSetup, speakers: int | None) -> Transcriber:
    if speakers is None:
        return recognition.open()
    from auricle_cli.speakers import SpeakerTranscriber  # late: it needs an extra

    timed = replace(recognition.decoding, word_timestamps=True)
    transcriber = replace(recognition, decoding=timed).open()
    try:
        return SpeakerTranscriber(transcriber, speakers or None, recognition.pcm)
    except BaseException:
        transcriber.close()
        raise


def _run(
    sources: list[Source],
    opener: Callable[[], Transcriber],
    at_once: int,
    display: Display,
    *,
    stream: bool,
) -> int:
    """Show every outcome; returns how many were transcripts."""
    with closing(opener()) as transcriber:
        if stream:
            answers: Iterable[SourceOutcome] = _streamed(transcriber, sources, display)
        else:
            running = outcomes(transcriber.transcribe, sources, at_once)
            answers = progress(running, len(sources))
        return sum(display.finish(answer) for answer in answers)


def _display(format: str, stream: bool, *, several: bool) -> Display:
    if several and format in ("srt", "vtt"):
        raise click.UsageError(f"{format} holds one recording: give one at a time")
    if format != "text":
        return Display(WRITERS[format])
    writer = labelled_text if several else WRITERS["text"]
    return LiveDisplay(writer, labelled=several) if stream else Display(writer)


def _streamed(
    transcriber: Transcriber, sources: list[Source], display: Display
) -> Iterator[SourceOutcome]:
    """One after the other, segments shown as they come."""
    for source in sources:
        yield attempt(lambda s: transcriber.stream(s, partial(display.segment, s)), source)
