"""One line for each option: what derives from it, and what is refused."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from auricle_server.config import ServerConfig
from auricle_types.errors import InvalidOptionError
from auricle_types.metadata import (
    AT_LEAST_ONE,
    FINITE,
    POSITIVE,
    Range,
    changed,
    check,
    option,
    options_of,
)
from auricle_types.options import (
    AudioLimits,
    DecodingOptions,
    EngineConfig,
    LoadingOptions,
    PcmFormat,
)

CLASSES = [AudioLimits, DecodingOptions, EngineConfig, LoadingOptions, PcmFormat, ServerConfig]


@dataclass(frozen=True)
class Form:
    count: int = option(1, "A count.", AT_LEAST_ONE)
    share: float | None = option(None, "A share.", Range(0, 1), flag="part", default_text="all")
    kind: Literal["a", "b", "c"] = option("a", "A kind.")
    path: Path | None = option(None, "A path.")
    note: str = "no option"

    def __post_init__(self) -> None:
        check(self)


def test_names_types_and_flags_are_the_fields() -> None:
    described = [(each.name, each.flag, each.type, each.is_optional) for each in options_of(Form)]
    assert described == [
        ("count", "count", int, False),
        ("share", "part", float, True),
        ("kind", "kind", str, False),
        ("path", "path", Path, True),
    ]
    assert options_of(Form)[2].choices == ("a", "b", "c")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "count must be at least 1, not 0"),
        ({"count": 1.5}, "count must be a whole number, not 1.5"),
        ({"count": None}, "count must be a whole number, not None"),
        ({"share": 1.5}, "share must be 0 to 1, not 1.5"),
        ({"share": math.nan}, "share must be 0 to 1, not nan"),
        ({"share": "half"}, "share must be a number, not 'half'"),
        ({"kind": "d"}, "kind must be a, b or c, not 'd'"),
    ],
    ids=str,
)
def test_invalid_values_are_named_with_their_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        Form(**values)
    assert str(caught.value) == message


def test_numbers_of_numpy_are_numbers() -> None:
    assert Form(count=int(np.int64(3)), share=np.float32(0.5)).count == 3  # type: ignore[arg-type]
    Form(count=np.int64(3))  # type: ignore[arg-type]


def test_only_changed_options_are_told() -> None:
    assert changed(Form()) == {}
    assert changed(Form(share=0.0, note="else")) == {"share": 0.0}


@pytest.mark.parametrize(
    ("numbers", "text", "inside", "outside"),
    [
        (Range(1, 3), "1 to 3", [1, 3], [0, 4, math.nan]),
        (AT_LEAST_ONE, "at least 1", [1, math.inf], [0.5]),
        (POSITIVE, "above 0", [0.1, math.inf], [0, -1, math.nan]),
        (Range(0, FINITE, is_open=True), "above 0 and finite", [0.1], [0, math.inf]),
    ],
)
def test_ranges(numbers: Range, text: str, inside: list[float], outside: list[float]) -> None:
    assert str(numbers) == text
    assert all(number in numbers for number in inside)
    assert not any(number in numbers for number in outside)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_is_an_option_with_a_help_sentence(cls: type[Any]) -> None:
    names = [each.name for each in options_of(cls)]
    assert names == list(cls.__dataclass_fields__)
    for each in options_of(cls):
        assert len(each.help.split()) >= 3, each.name
        assert each.help[0].isupper()
        assert each.help.endswith(".")


@pytest.mark.parametrize("cls", CLASSES)
def test_defaults_are_valid(cls: type[Any]) -> None:
    for each in options_of(cls):
        if each.default is not None:
            each.check(each.default)
