"""Transcription by a server. Imports no recogniser and no torch."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.failure import Failure
from auricle_cli.inputs import Source
from auricle_cli.live_audio import PCM
from auricle_cli.recognition import RecognitionSetup
from auricle_client import AuricleError, Client, RecognitionOptions, Transcript
from auricle_types.events import Event
from auricle_types.metadata import changed
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Segment

CONNECT_SECONDS = 10.0  # a server that is there answers much faster, even a busy one


class RemoteTranscriber:
    """A client, shared by several threads."""

    def __init__(self, client: Client, options: RecognitionOptions) -> None:
        self._client = client
        self._options = options

    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        """Transcribe the whole source, always from its start. Raises TranscriptionError."""
        try:
            with source.open() as reader:
                return self._client.upload(reader, self._options)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """Transcribe while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, self._client.stream(reader, self._options) as answer:
                for segment in answer:
                    on_segment(segment)
                return answer.transcript
        except BrokenPipeError:
            raise  # of the output, not of the source: nobody reads it any more
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def listen(self, chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        """Transcribe 16-bit PCM at 16 kHz while it comes. Raises TranscriptionError."""
        options = replace(self._options, pcm=PCM)
        try:
            with self._client.stream(chunks, options, streaming) as answer:
                yield from answer.events()
        except AuricleError as error:
            raise TranscriptionError(str(error)) from error

    def close(self) -> None:
        """Close the connection to the server."""
        self._client.close()


def connect(recognition: RecognitionSetup) -> RemoteTranscriber:
    """Reach the server. Raises Failure where none answers: once, not for each input."""
    target = recognition.connection.server
    options = RecognitionOptions(
        **changed(recognition.decoding),
        model=changed(recognition.loading).get("model"),
        pcm=recognition.pcm,
    )
    client = Client(target, credentials=recognition.connection.credentials())
    try:
        client.list_models(timeout=CONNECT_SECONDS)
    except AuricleError as error:
        client.close()
        raise Failure(f"{target}: {error}") from error
    return RemoteTranscriber(client, options)
