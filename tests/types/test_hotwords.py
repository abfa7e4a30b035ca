"""Hotwords: how they are written, and their limits."""

import pickle
from typing import Any

import numpy as np
import pytest

from auricle_types.errors import InvalidOptionError
from auricle_types.hotwords import HOTWORD_WEIGHT, MOST_HOTWORDS, Hotword
from auricle_types.options import DecodingOptions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kubernetes", Hotword("Kubernetes", HOTWORD_WEIGHT)),
        ("Kubernetes:4", Hotword("Kubernetes", 4.0)),
        ("  New   York : 2.5 ", Hotword("New York", 2.5)),
        ("a:b:0", Hotword("a:b", 0.0)),
    ],
)
def test_text_is_a_phrase_and_perhaps_a_weight(text: str, expected: Hotword) -> None:
    assert Hotword.parse(text) == expected
    assert DecodingOptions(hotwords=(text,)).hotwords == (expected,)


def test_lists_and_numbers_of_numpy_are_taken() -> None:
    given: Any = [Hotword("ann", np.float32(2.0)), "bob"]  # type: ignore[arg-type]
    assert DecodingOptions(hotwords=given) == DecodingOptions(hotwords=("ann:2", "bob"))


def test_options_with_hotwords_can_be_sent_to_a_process() -> None:
    options = DecodingOptions(hotwords=("new york:2",))
    assert pickle.loads(pickle.dumps(options)) == options
    assert hash(options) == hash(DecodingOptions(hotwords=(Hotword("new york", 2.0),)))


@pytest.mark.parametrize(
    ("hotwords", "message"),
    [
        (("",), "1 to 100 characters"),
        ((" :3",), "1 to 100 characters"),
        (("a" * 101,), "1 to 100 characters"),
        (("ann:-1",), "must be 0 to 10: 'ann' has -1.0"),
        (("ann:10.5",), "must be 0 to 10"),
        (("ann:nan",), "must be 0 to 10"),
        (("ann:much",), "PHRASE or PHRASE:WEIGHT, not 'ann:much'"),
        ("ann", "must be a list of phrases"),
        (7, "must be a list of phrases"),
        ((7,), "must be text or Hotword"),
        (("ann",) * (MOST_HOTWORDS + 1), "there may be 1000 hotwords, not 1001"),
        (("a" * 100,) * 201, "may have 20000 characters, not 20100"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(hotwords: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=message):
        DecodingOptions(hotwords=hotwords)


@pytest.mark.parametrize("weight", ["2", None])
def test_a_weight_is_a_number(weight: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match="0 to 10"):
        Hotword("ann", weight)


def test_a_phrase_is_text() -> None:
    phrase: Any = 7
    with pytest.raises(InvalidOptionError, match="must be text"):
        Hotword(phrase)
