import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from auricle.engine import Request
from benchmarks.cancellation import SMOKE_PLAN, Watch, _figures, main, rows


def test_figures_are_milliseconds() -> None:
    figures = _figures([0.001, 0.002, 0.003], [0.004])
    assert figures["cancel_to_free"]["p50_ms"] == 2.0
    assert figures["one_step"] == {"p50_ms": 4.0, "p95_ms": 4.0, "p99_ms": 4.0}
    assert rows(figures)[0][0] == "cancel to free"


def test_a_watch_tells_who_came_and_went() -> None:
    watch, request = Watch(), Request(np.zeros(1, np.float32))
    watch.came(2)
    watch.wait_for(2)
    watch.went(request)
    assert watch.left(request) > 0


def test_a_smoke_run(tmp_path: Path) -> None:
    output = tmp_path / "cancellation.json"
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text())
    assert result["cancelled"] == SMOKE_PLAN.rounds * SMOKE_PLAN.cancelled
    assert result["cancel_to_free"]["p50_ms"] > 0
