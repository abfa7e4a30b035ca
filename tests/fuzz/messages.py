"""The requests of the wire: random bytes, and random values in every field."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from auricle_proto.v1 import speech_pb2 as pb
from auricle_server.protocols.auricle_grpc import convert
from auricle_server.protocols.auricle_grpc.inbox import Inbox
from auricle_types.errors import AuricleError
from tests.fuzz.mutations import mutated

EXPECTED = (AuricleError,)
_REQUESTS = (pb.RecognizeRequest, pb.UploadRequest, pb.StreamingRecognizeRequest)
_INTEGERS = (0, 1, -1, 2, 5, 8_000, 16_000, (1 << 31) - 1, -(1 << 31))
_LONG = (*_INTEGERS, (1 << 63) - 1, -(1 << 63))
_FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 1e-45, 3e38, math.inf, -math.inf, math.nan)
_TEXTS = ("", "en", "german", "transcribe", "translate", "\0", "é" * 99, "\n", "default")


def seeds() -> list[bytes]:
    """A request with usual values, of each type."""
    options = pb.DecodingOptions(beam_size=5, temperature=0.0, language="en", prompt="words")
    options.hotwords.add(phrase="new york", weight=2.0)
    config = pb.RecognitionConfig(
        encoding="AUDIO_ENCODING_S16LE", sample_rate_hertz=8_000, decoding=options
    )
    streaming = pb.StreamingRecognizeRequest()
    streaming.config.config.CopyFrom(config)
    whole = pb.RecognizeRequest(config=config, audio=b"audio")
    return [
        each.SerializeToString() for each in (whole, pb.UploadRequest(config=config), streaming)
    ]


def new(seeds: list[bytes], random: Random) -> bytes:
    """Fields of random values, and some bytes of those damaged."""
    kind = random.random()
    if kind < 0.1:
        return random.randbytes(random.randrange(40))
    message = random.choice(_REQUESTS)()
    _fill(message, random)
    data = message.SerializeToString()
    return mutated(data, seeds, random) if kind < 0.4 else data


def _fill(message: Message, random: Random) -> None:
    for field in message.DESCRIPTOR.fields:
        if random.random() < 0.3:
            continue
        if field.is_repeated:
            for _ in range(random.randrange(3)):
                _fill(getattr(message, field.name).add(), random)
        elif field.message_type is not None:
            _fill(getattr(message, field.name), random)
        else:
            setattr(message, field.name, _value(field, random))


def _value(field: Any, random: Random) -> Any:  # noqa: ANN401
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return random.random() < 0.5
        case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
            return random.choice(_FLOATS)
        case FieldDescriptor.CPPTYPE_STRING:
            text = random.choice(_TEXTS)
            return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
        case FieldDescriptor.CPPTYPE_INT64:
            return random.choice(_LONG)
    return random.choice(_INTEGERS)  # an enum takes any integer, too


def attempt(data: bytes) -> None:
    """Read the bytes as a request of each type, as its call does."""
    for kind in _REQUESTS:
        try:
            message = kind.FromString(data)
        except DecodeError:
            continue  # gRPC itself refuses the call
        with suppress(AuricleError):
            _convert(message)


def _convert(message: Any) -> None:  # noqa: ANN401
    if isinstance(message, pb.RecognizeRequest):
        convert.task(message.config)
    else:
        asyncio.run(_stream(message))


async def _stream(message: Any) -> None:  # noqa: ANN401
    async def messages() -> AsyncIterator[Any]:
        yield message
        yield message

    async with Inbox(messages()) as inbox:
        try:
            await inbox.task()
        finally:
            while await inbox.chunk():
                pass
