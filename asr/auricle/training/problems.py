"""What of the training speech cannot be used: counted and named, then left out or fatal."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from auricle.training.config import OnBad
from auricle_types.errors import ManifestError

logger = logging.getLogger(__name__)
NAMED = 3  # of each kind


class Problem(NamedTuple):
    """One thing that is wrong: `kind` groups it with others, `name` says where it is."""

    kind: str
    name: str


def settle(problems: list[Problem], source: str, on_bad: OnBad) -> None:
    """Report what is wrong with `source`: to "skip" it in the log, to "stop" by ManifestError."""
    if not problems:
        return
    if on_bad == "stop":
        raise ManifestError(
            f"{source}: {summary(problems)}. Mend the data, or leave these out by "
            'on_bad = "skip" under [data]'
        )
    logger.warning("%s: left out: %s", source, summary(problems))


def summary(problems: Iterable[Problem]) -> str:
    """How many of each kind, and the first ones by name."""
    names: dict[str, list[str]] = {}
    for kind, name in problems:
        names.setdefault(kind, []).append(name)
    return "; ".join(f"{kind}: {len(each)} ({_first(each)})" for kind, each in names.items())


def _first(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
