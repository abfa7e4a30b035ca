"""Code outside a family's folder names no family, but for one line of the registry."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import auricle
from auricle.families import family_names

ROOT = Path(auricle.__file__).parent
NAMES = re.compile("whisper|moonshine", re.IGNORECASE)
REGISTRY = ROOT / "families" / "__init__.py"
OUTSIDE = ("training", "evaluation")  # recipes for models of one family; others' normalisers
EXCUSED = {  # texts for people
    "decoding/plain_policy.py": 3,  # errors: which models have what this one lacks
    "hub/known_models.py": 1,  # a prefix of names that people type
    "vocabulary.py": 1,  # an error: which models have what this one lacks
}


def generic_files() -> list[Path]:
    families = [ROOT / "families" / name for name in family_names()]
    away = [*families, *(ROOT / name for name in OUTSIDE)]
    paths = sorted(ROOT.rglob("*.py"))
    return [path for path in paths if not any(path.is_relative_to(each) for each in away)]


def docstrings(tree: ast.Module) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    return {id(first.value) for first in firsts if isinstance(first, ast.Expr)}


def words(tree: ast.Module) -> Iterator[str]:
    """Names, modules and strings of a file; comments and docstrings may cite a paper."""
    left_out = docstrings(tree)
    for node in ast.walk(tree):
        if id(node) not in left_out:
            yield from (value for _, value in ast.iter_fields(node) if isinstance(value, str))


def found(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [word for word in words(tree) if NAMES.search(word)]


def test_generic_code_names_no_family() -> None:
    named = {path.relative_to(ROOT).as_posix(): found(path) for path in generic_files()}
    counts = {path: len(texts) for path, texts in named.items() if texts}
    registry = counts.pop(REGISTRY.relative_to(ROOT).as_posix())
    assert registry == 2 * len(set(family_names()) - {"auricle"})  # a key and a module each
    assert counts == EXCUSED


def test_each_family_is_one_line_of_the_registry() -> None:
    lines = REGISTRY.read_text(encoding="utf-8").splitlines()
    for name in ("whisper", "moonshine"):
        assert sum(name in line for line in lines) == 1
