"""The style of the house, as far as a machine can see it: names, sentences, sizes."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("asr/auricle", "proto/auricle_types", "server/auricle_server", "client")
SOURCES = (*ROOMS, "benchmarks", "scripts")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60  # lines
MOST_PARAMETERS = 7
COMPILED = {"_follow"}  # numba takes no objects, so it has more parameters

Function = ast.FunctionDef | ast.AsyncFunctionDef


def trees(folders: tuple[str, ...]) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def functions() -> Iterator[tuple[Path, Function]]:
    for path, tree in trees(SOURCES):
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield path, node


def test_no_class_name_is_defined_twice() -> None:
    names = Counter(
        node.name
        for _, tree in trees(ROOMS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert names["Transcript"] == names["AuricleError"] == 1
    assert [name for name, count in names.items() if count > 1] == []


def test_a_docstring_is_more_than_a_fragment() -> None:
    short = [
        f"{path.relative_to(ROOT)}: {text}"
        for path, tree in trees(SOURCES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | Function)
        if (text := ast.get_docstring(node)) is not None and len(text.split()) < 4
    ]
    assert short == []


def test_files_and_functions_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path, _ in trees(SOURCES)}
    assert [str(path) for path, lines in lengths.items() if lines > LONGEST_FILE] == []
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, node in functions()
        if (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_functions_take_few_parameters() -> None:
    many = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, node in functions()
        if "auricle_cli/commands" not in str(path)  # click gives each option as a parameter
        if len(_parameters(node)) > MOST_PARAMETERS and node.name not in COMPILED
    ]
    assert many == []


def _parameters(node: Function) -> list[str]:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [each.arg for each in given if each.arg not in ("self", "cls")]
