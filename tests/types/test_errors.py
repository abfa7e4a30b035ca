"""The tree of errors, as callers and the wire rely on it."""

import pickle
import re

import pytest

from auricle_types import errors
from auricle_types.errors import (
    AudioError,
    AudioNotFoundError,
    AuricleError,
    InvalidOptionError,
    ModelError,
    QueueFullError,
    RequestError,
)

DECLARED = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, AuricleError)
]


@pytest.mark.parametrize("error", DECLARED)
def test_each_has_a_reason_and_says_what_it_means(error: type[AuricleError]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", error.reason)
    assert "reason" in vars(error)  # its own, not its parent's
    assert (error.__doc__ or "").strip().endswith(".")
    assert error.__name__.endswith("Error")


def test_reasons_cross_the_wire_and_are_unique() -> None:
    reasons = [error.reason for error in DECLARED]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("error", DECLARED)
def test_each_keeps_its_message(error: type[AuricleError]) -> None:
    assert str(error("what happened")) == "what happened"
    copy = pickle.loads(pickle.dumps(error("what happened")))
    assert (type(copy), str(copy)) == (error, "what happened")


def test_the_branches_are_apart() -> None:
    branches = (AudioError, ModelError, RequestError)
    for error in DECLARED:
        assert sum(issubclass(error, branch) for branch in branches) <= 1


def test_python_callers_may_catch_their_own() -> None:
    assert issubclass(AudioNotFoundError, FileNotFoundError)
    assert issubclass(InvalidOptionError, ValueError)


def test_a_full_queue_says_when_to_try_again() -> None:
    assert QueueFullError("full").retry_after == 1.0
    copy = pickle.loads(pickle.dumps(QueueFullError("full", retry_after=2.5)))
    assert (str(copy), copy.retry_after) == ("full", 2.5)
