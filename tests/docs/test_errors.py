"""docs/errors.md says what the code does."""

from scripts.errors_table import PAGE, declared, table


def test_the_table_lists_every_error_with_its_status_and_meaning() -> None:
    assert table() in PAGE.read_text(encoding="utf-8"), "run python scripts/errors_table.py"


def test_reasons_are_unique() -> None:
    reasons = [error.reason for error in declared()]
    assert len(reasons) == len(set(reasons)) > 15
