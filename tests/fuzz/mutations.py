"""Damages inputs: bytes by flips, cuts, splices and absurd numbers; values of JSON and TOML."""

import json
import math
import struct
from random import Random
from typing import Any

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 31, (1 << 31) - 1, (1 << 32) - 1)
_LONG_NUMBERS = (1 << 63, (1 << 63) - 1, (1 << 64) - 1, 1 << 40)
_MOST_CHANGES = 6
_HEAD_BYTES = 64  # headers are here: every second change falls into them
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3, 0.5, -0.0, 1e308, -1e308, math.inf, math.nan),
    *(1 << 31, -(1 << 31), 1 << 63, 1 << 64, 10**400, "", "a", "\0", "\ud800", "é" * 300, "../.."),
    *([], {}, [[]], [None], [1, 2], [0.5, "a"], {"": None}, {"a": {"a": []}}),
)


def mutated(data: bytes, others: list[bytes], random: Random) -> bytes:
    """`data` with one to a few changes; a splice goes on with one of the `others`."""
    changes = (_flip, _number, _cut, _repeat, _remove, _insert)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        if random.random() < 0.1:
            data = _splice(data, random.choice(others), random)
        else:
            data = random.choice(changes)(data, random)
    return data


def _place(data: bytes, random: Random) -> int:
    end = min(len(data), _HEAD_BYTES) if random.random() < 0.5 else len(data)
    return random.randint(0, max(end - 1, 0))


def _flip(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    flipped = bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1])
    return data[:at] + flipped + data[at + 1 :]


def _number(data: bytes, random: Random) -> bytes:
    order, code = random.choice("<>"), random.choice("BHIQ")
    values = _LONG_NUMBERS if code == "Q" else _NUMBERS
    size = struct.calcsize(code)
    raw = struct.pack(order + code, random.choice(values) & ((1 << 8 * size) - 1))
    at = _place(data, random)
    return data[:at] + raw + data[at + size :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)] if random.random() < 0.3 else data


def _span(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, start + min(len(data) - start, 1 << random.randrange(12))


def _repeat(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 9)) + data[end:]


def _remove(data: bytes, random: Random) -> bytes:
    start, end = _span(data, random)
    return data[:start] + data[end:]


def _insert(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + random.randbytes(random.choice((1, 2, 4, 16))) + data[at:]


def _splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: _place(data, random)] + other[_place(other, random) :]


def mutated_value(value: Any, random: Random) -> Any:  # noqa: ANN401
    """A value of JSON with an odd one, another of its own, or nothing in one or two places."""
    for _ in range(random.randint(1, 2)):
        value = _changed(value, random)
    return value


def _changed(value: Any, random: Random) -> Any:  # noqa: ANN401
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return _odd(value, random)
    copy = value.copy()
    key = random.choice(list(copy) if isinstance(copy, dict) else range(len(copy)))
    if random.random() < 0.1:
        del copy[key]
    elif isinstance(copy, dict) and random.random() < 0.05:
        copy[random.choice(("", "stranger", "type"))] = copy[key]
    else:
        copy[key] = _changed(copy[key], random)
    return copy


def _odd(value: Any, random: Random) -> Any:  # noqa: ANN401
    kind = random.random()
    if kind < 0.3 and isinstance(value, int | float) and abs(value) < 1e300:
        return random.choice((-value, value + 1, value * 1_000, value / 3, str(value), [value]))
    if kind < 0.35:
        return nested(random.choice((9, 12_000)))
    return random.choice(VALUES)


def nested(depth: int) -> "Raw":
    """A list in a list in a list, deeper than parsers may go."""
    return Raw("[" * depth + "]" * depth)


class Raw(str):
    """JSON that is already text."""

    __slots__ = ()


def to_json(value: Any) -> str:  # noqa: ANN401
    """A value as JSON, NaN and infinity as Python writes them; `Raw` parts as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if type(value) is int:
        return f"1{'0' * 400}" if value == 10**400 else repr(value)
    return json.dumps(value)


def to_toml(value: Any) -> str:  # noqa: ANN401
    """A value as TOML writes it within a line; nothing stands for None."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {to_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return to_json(value)
