"""Converts messages to Auricle's nouns and back; raises for values that no noun can hold."""

from typing import cast

from google.protobuf.duration_pb2 import Duration

from auricle.audio import Encoding, PcmFormat
from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.incoming import RecognitionTask
from auricle_server.service import ServedRecognizer
from auricle_types.errors import InvalidOptionError, InvalidRequestError
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStarted,
    SpeechStopped,
)
from auricle_types.hotwords import HOTWORD_WEIGHT, Hotword
from auricle_types.options import DecodingOptions, StreamingOptions
from auricle_types.transcript import Receipt, Segment, Transcript, Word

ENCODING_PREFIX = "AUDIO_ENCODING_"
NANOS = 1_000_000_000


# --- requests ----------------------------------------------------------------------------------


def task(config: pb.RecognitionConfig) -> RecognitionTask:
    """Read what a request asks for. Raises as `decoding_options` and `pcm_format` do."""
    return RecognitionTask(decoding_options(config.decoding), pcm_format(config), config.model)


def pcm_format(config: pb.RecognitionConfig) -> PcmFormat | None:
    """Read the format of headerless audio; None where the container is to say.

    Raises InvalidRequestError for an encoding unknown to this version of the proto,
    InvalidOptionError for one without a rate and InvalidSampleRateError for an impossible one.
    """
    if config.encoding not in pb.AudioEncoding.values():
        known = ", ".join(pb.AudioEncoding.keys())
        raise InvalidRequestError(f"unknown encoding {config.encoding}; there are: {known}")
    if config.channels < 0 or config.sample_rate_hertz < 0:
        raise InvalidOptionError("sample_rate_hertz and channels must not be negative")
    if config.encoding == pb.AUDIO_ENCODING_UNSPECIFIED:
        return None
    if config.sample_rate_hertz == 0:
        raise InvalidOptionError("headerless audio needs sample_rate_hertz beside its encoding")
    name = pb.AudioEncoding.Name(config.encoding).removeprefix(ENCODING_PREFIX).lower()
    return PcmFormat(config.sample_rate_hertz, config.channels or 1, cast("Encoding", name))


def decoding_options(message: pb.DecodingOptions) -> DecodingOptions:
    """Read the options that are present; the others have defaults. Raises InvalidOptionError."""
    given = {field.name: value for field, value in message.ListFields()}
    if "hotwords" in given:
        given["hotwords"] = tuple(map(hotword, message.hotwords))
    return DecodingOptions(**given)


def hotword(message: pb.Hotword) -> Hotword:
    """Read a phrase; without a weight it has the default. Raises InvalidOptionError."""
    weight = message.weight if message.HasField("weight") else HOTWORD_WEIGHT
    return Hotword(message.phrase, weight)


def streaming_options(message: pb.StreamingRecognitionConfig) -> StreamingOptions:
    """Read the options that are present; the others have defaults. Raises InvalidOptionError."""
    given = {field.name: value for field, value in message.ListFields() if field.name != "config"}
    return StreamingOptions(**given)


# --- answers -----------------------------------------------------------------------------------


def duration(seconds: float) -> Duration:
    """Convert seconds, to the nanosecond."""
    whole, nanos = divmod(round(seconds * NANOS), NANOS)
    return Duration(seconds=whole, nanos=nanos)


def word(noun: Word) -> pb.Word:
    """Convert a word of a segment."""
    return pb.Word(
        start=duration(noun.start),
        end=duration(noun.end),
        text=noun.text,
        confidence=noun.confidence,
    )


def segment(noun: Segment) -> pb.Segment:
    """Convert a segment and its words."""
    return pb.Segment(
        start=duration(noun.start),
        end=duration(noun.end),
        text=noun.text,
        confidence=noun.confidence,
        words=[word(each) for each in noun.words],
        language=noun.language,
        alternatives=[
            pb.Alternative(text=other.text, confidence=other.confidence)
            for other in noun.alternatives
        ],
    )


def receipt(noun: Receipt) -> pb.Receipt:
    """Convert a receipt, times as durations."""
    return pb.Receipt(
        model_id=noun.model_id,
        queue=duration(noun.queue_seconds),
        encode=duration(noun.encode_seconds),
        decode=duration(noun.decode_seconds),
        batch_size=noun.batch_size,
        padding_ratio=noun.padding_ratio,
        tokens=noun.tokens,
        guards=noun.guards,
    )


def transcript(noun: Transcript) -> pb.Transcript:
    """Convert a transcript and all in it."""
    return pb.Transcript(
        text=noun.text,
        segments=[segment(each) for each in noun.segments],
        confidence=noun.confidence,
        duration=duration(noun.duration),
        warnings=noun.warnings,
        receipt=receipt(noun.receipt),
    )


def event(noun: Event) -> pb.StreamingRecognizeResponse:
    """Convert an event of a stream."""
    match noun:
        case FinalSegment():
            return pb.StreamingRecognizeResponse(segment=segment(noun.segment))
        case FinalTranscript():
            return pb.StreamingRecognizeResponse(transcript=transcript(noun.transcript))
        case Interim():
            return pb.StreamingRecognizeResponse(interim=interim(noun))
        case SpeechStarted():
            return pb.StreamingRecognizeResponse(speech_started=duration(noun.at))
        case SpeechStopped():
            return pb.StreamingRecognizeResponse(speech_stopped=duration(noun.at))
        case EndOfUtterance():
            return pb.StreamingRecognizeResponse(end_of_utterance=duration(noun.at))


def interim(noun: Interim) -> pb.Interim:
    """Convert the text so far of an utterance."""
    return pb.Interim(
        start=duration(noun.start),
        text=noun.text,
        stable_text=noun.stable_text,
        stability=noun.stability,
    )


def model(recognizer: ServedRecognizer) -> pb.Model:
    """Describe the model that a recogniser runs, for ListModels."""
    config = recognizer.config
    return pb.Model(
        id=recognizer.model_id,
        name=config.name,
        language=config.language,
        window=duration(config.window_seconds),
        device=recognizer.device,
        dtype=recognizer.dtype,
    )
