"""Requests for tests, and what to read of a refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb

WAIT_SECONDS = 20  # before a test that hangs is failed
M = TypeVar("M", bound=Message)
T = TypeVar("T")


def chunked(audio: bytes, size: int = 1600) -> list[bytes]:
    return [audio[start : start + size] for start in range(0, len(audio), size)]


def uploads(
    chunks: Iterable[bytes], config: pb.RecognitionConfig | None = None
) -> list[pb.UploadRequest]:
    first = pb.UploadRequest(config=config or pb.RecognitionConfig())
    return [first, *(pb.UploadRequest(audio=chunk) for chunk in chunks)]


def streams(
    chunks: Iterable[bytes], config: pb.RecognitionConfig | None = None
) -> list[pb.StreamingRecognizeRequest]:
    first = pb.StreamingRecognizeRequest(config=pb.StreamingRecognitionConfig(config=config))
    return [first, *(pb.StreamingRecognizeRequest(audio=chunk) for chunk in chunks)]


@dataclass(frozen=True)
class Refusal:
    """How a call failed."""

    code: grpc.StatusCode
    message: str
    details: status_pb2.Status

    @property
    def reason(self) -> str:
        return str(self.info.reason)

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        return self.detail(error_details_pb2.ErrorInfo())

    def detail(self, kind: M) -> M:
        """The detail of the kind of `kind`, which stays empty where there is none."""
        for detail in self.details.details:
            detail.Unpack(kind)
        return kind


async def refused(call: Awaitable[object]) -> Refusal:
    """Awaits a call that must fail."""
    with pytest.raises(aio.AioRpcError) as caught:
        await soon(call)
    status = status_pb2.Status()
    trailers: Any = caught.value.trailing_metadata()
    for key, value in trailers:
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
    return Refusal(caught.value.code(), caught.value.details() or "", status)


async def soon(work: Awaitable[T]) -> T:
    """Awaits what must not hang."""
    return await asyncio.wait_for(work, WAIT_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what other threads and tasks bring about."""

    async def poll() -> None:
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.001)

    await soon(poll())
