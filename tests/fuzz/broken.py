"""A target that fails in every way: what the test of the harness itself runs."""

import os
from random import Random

EXPECTED = (KeyError,)
_KINDS = (b"fine", b"expected", b"raises", b"greedy")
_CRASHES = b"crashes"


def seeds() -> list[bytes]:
    """Nothing that fails."""
    return [b"fine"]


def new(seeds: list[bytes], random: Random) -> bytes:
    """One of the kinds; at last one ends the process."""
    return random.choice(_KINDS) if random.random() < 0.95 else _CRASHES


def attempt(data: bytes) -> None:
    """Do what the input says."""
    match data:
        case b"expected":
            raise KeyError(data)
        case b"raises":
            raise ValueError(data)
        case b"greedy":
            bytearray(4 << 30)
        case b"crashes":
            os.abort()
