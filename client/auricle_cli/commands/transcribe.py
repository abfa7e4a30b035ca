"""The command `auricle transcribe` turns audio files into text."""

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

import click

from auricle_cli.answers import Transcriber, TranscriptionJob
from auricle_cli.display import Display, FileDisplay, LiveDisplay, progress
from auricle_cli.failure import complain
from auricle_cli.formats import WRITERS, labelled_text, writer_of
from auricle_cli.inputs import STDIN, Source, expand
from auricle_cli.outcomes import SourceOutcome, attempt, exit_status, outcomes
from auricle_cli.outputs import OutputSetup, output_options
from auricle_cli.progress import AudioProgress
from auricle_cli.recognition import RecognitionSetup, recognition_options
from auricle_cli.streams import require_output
from auricle_types.transcript import Transcript


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@recognition_options()
@click.option("--stream", is_flag=True, help="Read, recognise and print while the audio comes in.")
@click.option(
    "--speakers",
    type=click.IntRange(0, 20),
    help="Number of people to tell apart, 0 to find it; needs the extra auricle[diarize].",
)
@output_options
@click.pass_context
def transcribe(
    ctx: click.Context,
    files: tuple[str, ...],
    recognition: RecognitionSetup,
    stream: bool,
    speakers: int | None,
    output: OutputSetup,
) -> None:
    """Transcribe FILES: recordings, folders of them, or - for the standard input.

    Transcripts keep the order of the inputs. With several inputs, each transcript follows its name
    and a tab. Inputs that fail are named on the standard error output.

    With --output-dir each input becomes files such as talk.srt instead. Inputs whose files are all
    there are skipped, so the same command can be run again after new inputs came or it was
    interrupted.
    """
    recognition = _with_words(recognition, output)
    if stream and output.output_dir:
        raise click.UsageError("--stream prints: leave it out with --output-dir")
    if output.separate_channels and (stream or recognition.connection.server):
        raise click.UsageError("--separate-channels cannot be used with --stream or --server")
    if speakers is not None and (stream or STDIN in files):
        raise click.UsageError("--speakers needs whole files: leave --stream and - out")
    if output.output_dir is None:
        require_output()
    sources, missing = expand(files)
    total = len(sources) + len(missing)
    output.check_inputs(sources, total)
    for name, reason in missing:
        complain(f"{name}: {reason}")
    waiting = _unfinished(sources, output)
    display = _display(output, stream, several=total > 1)
    done = 0
    if waiting:
        with closing(_open(recognition, speakers)) as transcriber:
            answers = (
                _streamed(transcriber, waiting, display)
                if stream
                else _run(transcriber, waiting, recognition, output)
            )
            done = sum(display.finish(answer) for answer in answers)
    ctx.exit(exit_status(len(missing) + len(waiting) - done, total))


def _with_words(recognition: RecognitionSetup, output: OutputSetup) -> RecognitionSetup:
    """Ask for the times of words where cues need them."""
    decoding = recognition.decoding
    if output.needs_words:
        return replace(recognition, decoding=replace(decoding, word_timestamps=True))
    if decoding.word_timestamps and "json" not in output.format:
        raise click.UsageError("--word-timestamps are for json alone: add --format json")
    return recognition


def _unfinished(sources: list[Source], output: OutputSetup) -> list[Source]:
    """Return the inputs that have files to be written, and name the others."""
    waiting = []
    for source in sources:
        if output.output_dir is None or output.missing(source):
            waiting.append(source)
        else:
            complain(f"{source.name}: skipped, its files exist: --overwrite does it again")
    return waiting


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
    transcriber: Transcriber,
    sources: list[Source],
    recognition: RecognitionSetup,
    output: OutputSetup,
) -> Iterator[SourceOutcome]:
    """Recognise several inputs at once, under a bar."""
    in_order = output.output_dir is None
    at_once = recognition.at_once
    if recognition.connection.server:  # which does not tell how far it is
        running = outcomes(transcriber.transcribe, sources, at_once, in_order=in_order)
        yield from progress(running, len(sources))
        return
    with closing(AudioProgress(sources, shown=sys.stderr.isatty())) as bar:

        def transcribe(source: Source) -> Transcript:
            apart = output.separate_channels
            job = TranscriptionJob(output.journal(source), bar.of(source), apart)
            return transcriber.transcribe(source, job)

        for outcome in outcomes(transcribe, sources, at_once, in_order=in_order):
            bar.finish(outcome)
            yield outcome


def _display(output: OutputSetup, stream: bool, *, several: bool) -> Display:
    if output.output_dir:
        return FileDisplay(output)
    (format,) = output.format
    if format != "txt":
        return Display(writer_of(format, output.cues))
    writer = labelled_text if several else WRITERS["txt"]
    return LiveDisplay(writer, labelled=several) if stream else Display(writer)


def _streamed(
    transcriber: Transcriber, sources: list[Source], display: Display
) -> Iterator[SourceOutcome]:
    """One after the other, segments shown as they come."""
    for source in sources:
        yield attempt(lambda s: transcriber.stream(s, partial(display.segment, s)), source)
