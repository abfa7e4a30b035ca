"""Parsers raise one kind of error, whatever a file holds."""

from collections.abc import Callable

import pytest

from auricle_types.parsing import parse_json, parse_toml

DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_json, "{"), (parse_json, DEEP), (parse_toml, "a ="), (parse_toml, f"a = {DEEP}")],
)
def test_what_cannot_be_parsed_is_a_value_error(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_what_can_be_parsed_is_returned() -> None:
    assert parse_json(b'{"a": [1]}') == {"a": [1]}
    assert parse_toml("a = [1]") == {"a": [1]}
