"""A benchmark's result: a table for the eye and a JSON file that the documents are made from."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, today, versions

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "numpy", "grpcio")


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found."""

    name: str
    quick: bool  # a smoke run: it shows that the code works, and nothing else
    threads: int
    packages: tuple[str, ...] = PACKAGES
    load_before: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    def to_dict(self, figures: dict[str, Any]) -> dict[str, Any]:
        """The figures, under where and when they were measured."""
        hardware = {**machine(self.threads), "load_average_before": self.load_before}
        where = {"hardware": hardware, "versions": versions(self.packages)}
        return {
            "benchmark": self.name,
            "date": today(),
            "quick": self.quick,
            **where,
            **figures,
        }

    def path(self, output: Path | None) -> Path:
        """`output`, or the result's own place."""
        return output or RESULTS / f"{self.name}.json"

    def write(self, figures: dict[str, Any], output: Path | None) -> None:
        """To `output`; where there is none, to the results' folder, but never a smoke run."""
        if output is None and self.quick:
            return
        path = self.path(output)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_dict(figures), indent=2) + "\n", encoding="utf-8")
        print(f"\n{path}")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, columns aligned for the eye, too."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(row, widths) for row in cells]
    return "\n".join([lines[0], "|".join(["", *("-" * (w + 2) for w in widths), ""]), *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return f"| {' | '.join(padded)} |"
