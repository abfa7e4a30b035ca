"""Writes the table of docs/errors.md from the error classes: python scripts/errors_table.py."""

from collections.abc import Iterator
from pathlib import Path

from auricle_server.protocols.auricle_grpc.status import code_of
from auricle_types import errors

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
HEAD = "| Reason | gRPC status | Class | When |\n|---|---|---|---|"


def declared() -> Iterator[type[errors.AuricleError]]:
    """Yield every error class in the order of its file, without the base."""
    for kind in vars(errors).values():
        is_error = isinstance(kind, type) and issubclass(kind, errors.AuricleError)
        if is_error and kind is not errors.AuricleError:
            yield kind


def table() -> str:
    """Return one row for each error class."""
    rows = [HEAD]
    for kind in declared():
        summary = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        rows.append(f"| `{kind.reason}` | {code_of(kind).name} | `{kind.__name__}` | {summary} |")
    return "\n".join(rows)


def replaced(page: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = page.partition(HEAD)
    _, gap, after = rest.partition("\n\n")
    return before + table() + gap + after


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
