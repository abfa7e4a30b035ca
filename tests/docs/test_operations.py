"""docs/operations.md lists the metrics that the server answers with."""

import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric

from auricle.engine.invariance import Checks
from auricle_server.middleware.metrics import OUTCOMES, Metrics
from tests.server.fakes import FakeRecognizer

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ROW = re.compile(r"^\| `(auricle_\w+)(?:\{([\w,]+)\})?` \| (\w+) \| (.+) \|$", re.MULTILINE)


class Checked(FakeRecognizer):
    """A fake that compares, so that all metrics are there."""

    def checks(self) -> Checks:
        return Checks()


def families() -> Iterator[Metric]:
    metrics = Metrics(Checked())
    metrics.rpc("Recognize", "OK", 1.0)
    return iter(metrics.registry.collect())


def labels(family: Metric) -> str:
    first = min(family.samples, key=lambda sample: len(sample.labels))  # a bucket has `le` besides
    return ",".join(sorted(first.labels))


def name(family: Metric) -> str:
    return family.name + ("_total" if family.type == "counter" else "")


def test_the_table_is_what_the_server_says() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert rows == [
        (name(each), labels(each), each.type, each.documentation) for each in families()
    ]
    assert len(rows) > 10


def test_the_outcomes_are_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [outcome for outcome in OUTCOMES if f"`{outcome}`" not in page] == []
