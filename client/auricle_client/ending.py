"""How an RPC of `grpc.aio` ended by the server's word, which `grpc.aio` itself may forget.

Where the server ends an RPC that is still being written to, the write fails, and `grpc.aio` then
puts "Internal error from Core" in place of the status that came (grpc/grpc#36066). A status has
callbacks only for the first time that it is set, so the server's is either that or the one now.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc
from grpc import aio

OF_A_FAILED_WRITE = "Internal error from Core"

T = TypeVar("T")
Call = aio.StreamUnaryCall[Any, Any] | aio.StreamStreamCall[Any, Any]


class Ending:
    """The first status of a call."""

    def __init__(self, call: Call) -> None:
        """Watches `call`, which has just been made."""
        self._first: aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    def _note(self, call: Call) -> None:
        self._first = at_once(status_of(call))

    def meant(self, failed: grpc.RpcError) -> grpc.RpcError:
        """The error that the server sent, for the one that was raised."""
        forgotten = isinstance(failed, aio.AioRpcError) and failed.details() == OF_A_FAILED_WRITE
        return self._first if forgotten and self._first else failed


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
