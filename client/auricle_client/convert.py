"""Options to messages and messages to answers."""

from google.protobuf.duration_pb2 import Duration

from auricle_client.options import PcmFormat, RecognitionOptions
from auricle_proto.v1 import speech_pb2 as pb
from auricle_types.errors import InvalidOptionError
from auricle_types.transcript import Model, Receipt, Segment, Transcript, Word

ENCODING_PREFIX = "AUDIO_ENCODING_"
CONTAINER = PcmFormat(sample_rate=0, channels=0, encoding="unspecified")


def encoding(name: str) -> str:
    """The wire's word for an encoding such as "s16le". Raises InvalidOptionError."""
    words = pb.AudioEncoding.keys()
    word = ENCODING_PREFIX + name.upper()
    if word not in words:
        known = ", ".join(each.removeprefix(ENCODING_PREFIX).lower() for each in words[1:])
        raise InvalidOptionError(f"unknown encoding {name!r}; there are: {known}")
    return word


def recognition_config(options: RecognitionOptions) -> pb.RecognitionConfig:
    """The options as the wire has them. Raises InvalidOptionError for what it cannot hold."""
    pcm = options.pcm or CONTAINER
    word = encoding(pcm.encoding)
    try:
        return pb.RecognitionConfig(
            model=options.model,
            encoding=word,
            sample_rate_hertz=pcm.sample_rate,
            channels=pcm.channels,
            decoding=decoding(options),
        )
    except (TypeError, ValueError) as error:  # protobuf's, for a wrong type or over 32 bits
        raise InvalidOptionError(f"an option does not fit: {error}") from error


def decoding(options: RecognitionOptions) -> pb.DecodingOptions:
    """The decoding options that are set."""
    message = pb.DecodingOptions(
        beam_size=options.beam_size,
        max_tokens=options.max_tokens,
        length_penalty=options.length_penalty,
        temperature=options.temperature,
        seed=options.seed,
        ctc_weight=options.ctc_weight,
        lm_weight=options.lm_weight,
        token_reward=options.token_reward,
        language=options.language,
        task=options.task,
        prompt=options.prompt,
    )
    for name in ("guards", "timestamps", "word_timestamps", "fallback"):  # absent is not False
        value = getattr(options, name)
        if value is not None:
            setattr(message, name, value)
    return message


def seconds(duration: Duration) -> float:
    """A duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


def word(message: pb.Word) -> Word:
    """A word off the wire."""
    return Word(
        start=seconds(message.start),
        end=seconds(message.end),
        text=message.text,
        confidence=message.confidence,
    )


def segment(message: pb.Segment) -> Segment:
    """A segment off the wire."""
    return Segment(
        start=seconds(message.start),
        end=seconds(message.end),
        text=message.text,
        confidence=message.confidence,
        words=tuple(word(each) for each in message.words),
        language=message.language,
    )


def receipt(message: pb.Receipt) -> Receipt:
    """A receipt off the wire."""
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
    """A transcript off the wire."""
    return Transcript(
        segments=tuple(segment(each) for each in message.segments),
        duration=seconds(message.duration),
        receipt=receipt(message.receipt),
        warnings=tuple(message.warnings),
    )


def models(message: pb.ListModelsResponse) -> tuple[Model, ...]:
    """The models off the wire."""
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
