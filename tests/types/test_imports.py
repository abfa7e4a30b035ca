"""The shared nouns need the standard library only, and the client only its contract."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(folder: str) -> set[str]:
    """The top-level names that the modules of a folder import."""
    names: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
    return names


def test_the_nouns_need_the_standard_library_only() -> None:
    assert imported("proto/auricle_types") - sys.stdlib_module_names == {"auricle_types"}


def test_the_client_needs_grpc_and_the_contract_only() -> None:
    contract = {"auricle_client", "auricle_proto", "auricle_types"}
    assert imported("client/auricle_client") - sys.stdlib_module_names == {
        "google", "grpc", *contract,
    }  # fmt: skip
