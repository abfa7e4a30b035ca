import json

import pytest
from click.testing import CliRunner

from benchmarks.growth import SMOKE_PLAN, Plan, figures, main
from benchmarks.plots import WORDS


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("growth")
    flags = ["--quick", "--threads", "1", "--output", f"{folder}/growth.json"]
    done = CliRunner().invoke(main, flags)
    assert done.exit_code == 0, done.output
    assert "audio_seconds" in done.output
    assert [path.name for path in folder.iterdir()] == ["growth.json"]  # no plots
    found: dict[str, object] = json.loads((folder / "growth.json").read_text())
    return found


def test_a_smoke_run_has_every_point(result: dict[str, object]) -> None:
    curves = result["curves"]
    assert isinstance(curves, dict)
    lengths = [point["audio_seconds"] for point in curves["length"]]
    companies = [point["utterances"] for point in curves["concurrency"]]
    assert (lengths, companies) == (list(SMOKE_PLAN.lengths), list(SMOKE_PLAN.companies))
    assert curves["requests"][-1]["requests"] == SMOKE_PLAN.requests
    points = [point for curve in curves.values() for point in curve]
    assert all(value > 0 for point in points for value in point.values())
    assert {key for point in points for key in point} <= WORDS.keys()


def test_the_figures_by_hand() -> None:
    curves = {
        "length": [
            {"audio_seconds": 1.0, "seconds": 9.0},
            {"audio_seconds": 10.0, "seconds": 1.0},
            {"audio_seconds": 100.0, "seconds": 12.0},
        ],
        "concurrency": [],
        "requests": [
            {"requests": 5.0, "resident_mib": 90.0},
            {"requests": 10.0, "resident_mib": 100.0},
            {"requests": 40.0, "resident_mib": 101.5},
        ],
    }
    found = figures(SMOKE_PLAN, curves)
    assert found["cost_longest_over_middle"] == 1.2
    assert found["resident_growth_mib"] == 1.5
    assert found["settled_after_requests"] == 10


def test_the_full_plan_is_what_is_said_of_it() -> None:
    plan = Plan()
    assert (plan.lengths[0], plan.lengths[-1]) == (1, 600)
    assert (plan.companies[0], plan.companies[-1]) == (1, 256)
    assert plan.requests == 10_000
