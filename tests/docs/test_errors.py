"""docs/errors.md says what the code does."""

import re
from collections.abc import Iterator
from pathlib import Path

from auricle.errors import AuricleError
from auricle_server import errors as server_errors
from auricle_server.protocols.auricle_grpc.status import code_of

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| `(\w+)` \| (.+) \|$", re.MULTILINE)


def descendants(base: type[AuricleError]) -> Iterator[type[AuricleError]]:
    for child in base.__subclasses__():
        if child.__module__ in (AuricleError.__module__, server_errors.__name__):
            yield child
            yield from descendants(child)


def test_the_table_lists_every_error_with_its_status_and_meaning() -> None:
    rows = {
        name: (reason, code, when) for reason, code, name, when in ROW.findall(PAGE.read_text())
    }
    expected = {
        error.__name__: (
            error.reason,
            code_of(error).name,
            " ".join((error.__doc__ or "").split("\n\n")[0].split()),
        )
        for error in descendants(AuricleError)
    }
    assert rows == expected


def test_reasons_are_unique() -> None:
    reasons = [error.reason for error in descendants(AuricleError)]
    assert len(reasons) == len(set(reasons)) > 15
