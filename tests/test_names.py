"""One name, one meaning: no class name is defined twice."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("asr/auricle", "proto/auricle_types", "server/auricle_server", "client")
KNOWN: set[str] = set()  # names that may still be defined twice


def defined() -> Counter[str]:
    """How often each class name is defined in the rooms."""
    return Counter(
        node.name
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )


def test_no_class_name_is_defined_twice() -> None:
    names = defined()
    assert names["Transcript"] == names["AuricleError"] == 1
    assert {name for name, count in names.items() if count > 1} <= KNOWN
