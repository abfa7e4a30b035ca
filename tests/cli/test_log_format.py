"""One line for each record of the log."""

import logging
import sys

from auricle_cli.log_format import PrintableFormatter

FORGED = "large\n2026-01-01 INFO method=Recognize\x1b[2J"


def line(message: str, *, raised: Exception | None = None, stack: str | None = None) -> str:
    error = None if raised is None else (type(raised), raised, raised.__traceback__)
    record = logging.LogRecord("n", logging.INFO, "file", 1, "model=%s", (message,), error)
    record.stack_info = stack
    return PrintableFormatter("%(levelname)s %(message)s").format(record)


def test_a_message_stays_on_its_line() -> None:
    assert line(FORGED) == "INFO model=large\\n2026-01-01 INFO method=Recognize\\x1b[2J"


def test_a_traceback_is_indented() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        raised = sys.exception()
    assert isinstance(raised, ValueError)
    first, *rest = line("m", raised=raised).splitlines()
    assert first == "INFO model=m"
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(each.startswith("    ") and each.isprintable() for each in rest)
    assert any("ValueError: large" in each for each in rest)


def test_a_stack_is_indented() -> None:
    assert line("m", stack="Stack:\n  x\x1b").splitlines() == [
        "INFO model=m",
        "    Stack:",
        "      x\\x1b",
    ]
