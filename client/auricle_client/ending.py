"""How an RPC of `grpc.aio` ended by the server's word, which `grpc.aio` itself may forget.

Where the server ends an RPC that is still being written to, the write fails, and `grpc.aio` then
puts "Internal error from Core" in place of the status that came (grpc/grpc#36066). Its callbacks
see every status, or only the first one, as the version may be.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc
from grpc import aio

OF_A_FAILED_WRITE = "Internal error from Core"

T = TypeVar("T")
Call = aio.StreamUnaryCall[Any, Any] | aio.StreamStreamCall[Any, Any]


class Ending:
    """The status that the server sent to a call."""

    def __init__(self, call: Call) -> None:
        """Watches `call`, which has just been made."""
        self._sent: aio.AioRpcError | None = None
        call.add_done_callback(self._keep_status)

    def _keep_status(self, call: Call) -> None:
        if self._sent is None or is_of_a_failed_write(self._sent):
            self._sent = at_once(status_of(call))

    def meant(self, failed: grpc.RpcError) -> grpc.RpcError:
        """The error that the server sent, for the one that was raised."""
        if self._sent is None or self._sent.code() is grpc.StatusCode.OK:
            return failed
        return self._sent if is_of_a_failed_write(failed) else failed


def is_of_a_failed_write(error: grpc.RpcError) -> bool:
    """Whether `grpc.aio` has made this status."""
    return isinstance(error, aio.AioRpcError) and error.details() == OF_A_FAILED_WRITE


async def status_of(call: Call) -> aio.AioRpcError:
    """The status of a call that has ended, as an error."""
    initial, trailing = await call.initial_metadata(), await call.trailing_metadata()
    return aio.AioRpcError(await call.code(), initial, trailing, await call.details(), None)


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError(f"{coroutine} waits")
