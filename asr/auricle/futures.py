"""Makes a future whose result is another one's, converted."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def then(source: Future[T], convert: Callable[[T], R]) -> Future[R]:
    """Return a future of `convert(result)`; cancelling it cancels `source`."""
    target: Future[R] = Future()

    def forward(done: Future[T]) -> None:
        if done.cancelled():
            target.cancel()
        if not target.set_running_or_notify_cancel():
            return
        try:
            target.set_result(convert(done.result()))
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits
            target.set_exception(error)

    def cancel(done: Future[R]) -> None:
        if done.cancelled():
            source.cancel()

    source.add_done_callback(forward)
    target.add_done_callback(cancel)
    return target
