"""The command `auricle listen` shows captions of what is being said."""

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import click

from auricle_cli.answers import TranscriptionError
from auricle_cli.caption_files import CaptionFiles
from auricle_cli.captions import new_captions
from auricle_cli.failure import Failure, complain
from auricle_cli.groups import option_group
from auricle_cli.live_audio import Chunks, microphone, recording
from auricle_cli.recognition import RecognitionSetup, recognition_options
from auricle_cli.streams import require_output
from auricle_types.events import FinalSegment, FinalTranscript
from auricle_types.metadata import options_of
from auricle_types.options import StreamingOptions

_OURS = ("interim_results", "voice_activity")  # which captions always have, or never show
_ENDPOINTING = [each for each in options_of(StreamingOptions) if each.name not in _OURS]


@click.command()
@recognition_options()
@option_group(StreamingOptions, "streaming", _ENDPOINTING)
@click.option("--microphone", metavar="NAME", help="Microphone; a part of its name, or its number.")
@click.option(
    "--input",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Recording to hear instead of a microphone.",
)
@click.option("--realtime", is_flag=True, help="Play the recording at the pace of its speech.")
@click.option(
    "--output",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the final segments as they come: .txt, .srt, .vtt or .jsonl.",
)
def listen(
    recognition: RecognitionSetup,
    streaming: StreamingOptions,
    microphone: str | None,
    input: Path | None,  # noqa: A002  # the flag's name
    realtime: bool,
    output: tuple[Path, ...],
) -> None:
    """Show captions of what a microphone hears.

    Words settle while they are spoken. Ctrl-C ends the captions and gives what was said until then.
    """
    if realtime and input is None:
        raise click.UsageError("--realtime plays a recording: add --input")
    require_output()
    stopped = threading.Event()
    streaming = replace(streaming, interim_results=True, voice_activity=True)
    outputs = CaptionFiles(output)
    with (
        _audio(microphone, input, realtime, recognition, stopped) as chunks,
        closing(recognition.open()) as transcriber,
        outputs as files,  # now that all else is there: files that exist are written anew
        _stopping(stopped),
        new_captions() as captions,
    ):
        try:
            for event in transcriber.listen(chunks, streaming):
                captions.show(event)
                if isinstance(event, FinalSegment):
                    files.add(event.segment)
                if isinstance(event, FinalTranscript):
                    for warning in event.transcript.warnings:
                        complain(f"warning: {warning}")
        except TranscriptionError as error:
            raise Failure(str(error)) from error


def _audio(
    name: str | None,
    source: Path | None,
    realtime: bool,
    recognition: RecognitionSetup,
    stopped: threading.Event,
) -> AbstractContextManager[Chunks]:
    if source is None:
        return microphone(name, stopped)
    return recording(source, stopped, pcm=recognition.pcm, realtime=realtime)


@contextmanager
def _stopping(stopped: threading.Event) -> Iterator[None]:
    """Inside, the first Ctrl-C ends the audio; the next one is as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.getsignal(signal.SIGINT)

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopped.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
