"""How threads share the processor's cores. Imports nothing that starts any."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait for each other. Call it before torch is imported.

    By default they spin, which steals the cores from the very threads that they wait for wherever
    other processes are at work. What the environment says already stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def in_own_thread(work: Callable[[], T]) -> T:
    """Do `work` on a thread that ends with it, and return its result.

    OpenMP keeps a team of workers for every thread that ever computed in parallel. Once there are
    more workers than cores, they sleep between operations instead of waiting awake (libgomp), and
    a decoder step, which is hundreds of small operations, takes twice the time. A thread that ends
    takes its team along: so whoever loads or converts a model does it here.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="auricle-apart") as thread:
        return thread.submit(work).result()
