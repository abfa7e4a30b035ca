"""Bytes that are no message of speech.proto are the caller's fault, in every RPC."""

import logging

import grpc
import pytest
from grpc import aio

from tests.server.messages import refused, soon

RPCS = ("Recognize", "Upload", "StreamingRecognize", "ListModels")
DAMAGED = (b"\xff" * 10, b"\x0a\x80\x80\x80\x80\x08", b"\x0a\x05ab")  # each ends within a field


def unread(_: bytes) -> bytes:
    return b""


async def answers(channel: aio.Channel, rpc: str, message: bytes) -> list[bytes]:
    call = channel.stream_stream(
        f"/auricle.v1.Speech/{rpc}", request_serializer=bytes, response_deserializer=unread
    )
    return [answer async for answer in call(iter([message]))]


@pytest.mark.parametrize("rpc", RPCS)
@pytest.mark.parametrize("message", DAMAGED, ids=["varint", "length", "short"])
async def test_a_damaged_message_is_refused_as_invalid(
    channel: aio.Channel, rpc: str, message: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = await refused(answers(channel, rpc, message))
    assert (refusal.code, refusal.reason) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_REQUEST",
    )
    assert "speech.proto" in refusal.message
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_unknown_fields_are_no_damage(channel: aio.Channel) -> None:
    assert len(await soon(answers(channel, "ListModels", b"\xf8\x7f\x01"))) == 1
