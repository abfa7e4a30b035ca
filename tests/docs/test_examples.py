"""The examples in the documents run as they are printed."""

import ast
import re
from pathlib import Path

import pytest

from auricle import Recognizer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(code, id=f"{page.name}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL))
]
IMPORTS = (ast.Import, ast.ImportFrom)
COMMAND = re.compile(r"^\$ auricle transcribe (\S+)\n(.+)$", re.MULTILINE)


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_import_what_exists(code: str) -> None:
    imports: list[ast.stmt] = []
    imports += (each for each in ast.parse(code).body if isinstance(each, IMPORTS))
    assert imports
    exec(compile(ast.Module(imports, []), "example", "exec"), {})


def test_the_first_output_of_the_readme_is_what_the_bundled_model_says() -> None:
    found = COMMAND.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    with Recognizer.from_pretrained(dtype="float32") as recognizer:
        assert recognizer.transcribe(ROOT / found[1]).text == found[2]
