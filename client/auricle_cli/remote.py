"""Transcription by a server. Imports no recogniser and no torch."""

from collections.abc import Callable

from auricle_cli.answers import TranscriptionError
from auricle_cli.failure import Failure
from auricle_cli.inputs import Source
from auricle_cli.recognition import Recognition
from auricle_client import AuricleError, Client, PcmFormat, RecognitionOptions, Transcript
from auricle_types.transcript import Segment

CONNECT_SECONDS = 10.0  # a server that is there answers much faster, even a busy one


class RemoteTranscriber:
    """A client, shared by several threads."""

    def __init__(self, client: Client, options: RecognitionOptions) -> None:
        self._client = client
        self._options = options

    def transcribe(self, source: Source) -> Transcript:
        """The whole answer. Raises TranscriptionError."""
        try:
            with source.open() as reader:
                return self._client.upload(reader, self._options)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """The same while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, self._client.stream(reader, self._options) as answer:
                for segment in answer:
                    on_segment(segment)
                return answer.transcript
        except BrokenPipeError:
            raise  # of the output, not of the source: nobody reads it any more
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def connect(recognition: Recognition) -> RemoteTranscriber:
    """Reach the server. Raises Failure where none answers: once, not for each input."""
    target = recognition.connection.server
    pcm = recognition.pcm
    options = RecognitionOptions(
        model=recognition.model,
        pcm=PcmFormat(pcm.sample_rate, pcm.channels, pcm.encoding) if pcm else None,
        beam_size=recognition.beam,
        max_tokens=recognition.max_tokens,
        temperature=recognition.temperature or None,
        seed=recognition.seed,
        ctc_weight=recognition.ctc_weight,
        lm_weight=recognition.lm_weight,
        guards=None if recognition.guards else False,
        language=recognition.language,
        task=recognition.task,
        prompt=recognition.prompt,
        timestamps=recognition.timestamps,
        word_timestamps=recognition.word_timestamps or None,
        fallback=recognition.fallback,
    )
    client = Client(target, credentials=recognition.connection.credentials())
    try:
        client.list_models(timeout=CONNECT_SECONDS)
    except AuricleError as error:
        client.close()
        raise Failure(f"{target}: {error}") from error
    return RemoteTranscriber(client, options)
