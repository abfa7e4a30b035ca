"""Options to messages and messages to answers."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from auricle_client.options import RecognitionOptions
from auricle_proto.v1 import speech_pb2 as pb
from auricle_types.errors import InvalidOptionError
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStarted,
    SpeechStopped,
)
from auricle_types.metadata import changed
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Alternative, Model, Receipt, Segment, Transcript, Word

ENCODING_PREFIX = "AUDIO_ENCODING_"


def recognition_config(options: RecognitionOptions) -> pb.RecognitionConfig:
    """Return the options for the wire. Raises InvalidOptionError for values that do not fit."""
    pcm: dict[str, Any] = {}  # absent for audio in a container
    if options.pcm is not None:
        pcm["encoding"] = ENCODING_PREFIX + options.pcm.encoding.upper()
        pcm["sample_rate_hertz"] = options.pcm.sample_rate
        pcm["channels"] = options.pcm.channels
    try:
        hotwords = [pb.Hotword(phrase=each.phrase, weight=each.weight) for each in options.phrases]
        decoding = pb.DecodingOptions(**changed(options) | {"hotwords": hotwords})
        return pb.RecognitionConfig(model=options.model, decoding=decoding, **pcm)
    except (TypeError, ValueError) as error:  # protobuf's, for a wrong type or over 32 bits
        raise InvalidOptionError(f"an option does not fit: {error}") from error


def streaming_config(
    options: RecognitionOptions, streaming: StreamingOptions
) -> pb.StreamingRecognitionConfig:
    """Return the options of a stream for the wire. Raises as `recognition_config` does."""
    config = recognition_config(options)
    return pb.StreamingRecognitionConfig(config=config, **changed(streaming))


def seconds(duration: Duration) -> float:
    """Return a duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


def word(message: pb.Word) -> Word:
    """Return a word from its message."""
    return Word(
        start=seconds(message.start),
        end=seconds(message.end),
        text=message.text,
        confidence=message.confidence,
    )


def segment(message: pb.Segment) -> Segment:
    """Return a segment from its message."""
    return Segment(
        start=seconds(message.start),
        end=seconds(message.end),
        text=message.text,
        confidence=message.confidence,
        words=tuple(word(each) for each in message.words),
        language=message.language,
        alternatives=tuple(Alternative(a.text, a.confidence) for a in message.alternatives),
    )


def receipt(message: pb.Receipt) -> Receipt:
    """Return a receipt from its message."""
    return Receipt(
        model_id=message.model_id,
        queue_seconds=seconds(message.queue),
        encode_seconds=seconds(message.encode),
        decode_seconds=seconds(message.decode),
        batch_size=message.batch_size,
        padding_ratio=message.padding_ratio,
        tokens=message.tokens,
        guards=tuple(message.guards),
    )


def transcript(message: pb.Transcript) -> Transcript:
    """Return a transcript from its message."""
    return Transcript(
        segments=tuple(segment(each) for each in message.segments),
        duration=seconds(message.duration),
        receipt=receipt(message.receipt),
        warnings=tuple(message.warnings),
    )


def event(message: pb.StreamingRecognizeResponse) -> Event | None:
    """Return an event from its message; None for one that is not known here."""
    kind = message.WhichOneof("result")
    if kind not in _EVENTS:
        return None
    return _EVENTS[kind](getattr(message, kind))


def interim(message: pb.Interim) -> Interim:
    """Return the text so far of an utterance from its message."""
    return Interim(
        start=seconds(message.start),
        text=message.text,
        stable_text=message.stable_text,
        stability=message.stability,
    )


def models(message: pb.ListModelsResponse) -> tuple[Model, ...]:
    """Return the models from their message."""
    return tuple(
        Model(
            model_id=each.id,
            name=each.name,
            language=each.language,
            window_seconds=seconds(each.window),
            device=each.device,
            dtype=each.dtype,
        )
        for each in message.models
    )


_EVENTS: dict[str, Callable[[Any], Event]] = {
    "segment": lambda message: FinalSegment(segment(message)),
    "transcript": lambda message: FinalTranscript(transcript(message)),
    "interim": interim,
    "speech_started": lambda at: SpeechStarted(seconds(at)),
    "speech_stopped": lambda at: SpeechStopped(seconds(at)),
    "end_of_utterance": lambda at: EndOfUtterance(seconds(at)),
}
