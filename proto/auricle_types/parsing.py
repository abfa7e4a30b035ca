"""JSON and TOML from files that anybody may have written."""

import json
import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Parse JSON. Raises ValueError, also for what is nested too deeply."""
    return _parsed(json.loads, text)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML. Raises ValueError, also for what is nested too deeply."""
    return _parsed(tomllib.loads, text)


def _parsed(parse: Callable[[Any], T], text: str | bytes) -> T:
    try:
        return parse(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
