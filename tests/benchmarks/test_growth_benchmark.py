import json
from dataclasses import replace
from typing import cast

import pytest
from click.testing import CliRunner

from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import InferenceError
from auricle_types.options import DecodingOptions
from benchmarks.growth import SMOKE_PLAN, Plan, by_requests, figures, main
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


class Answering:
    """A recogniser that works when it is asked for the answer, and fails on number `fails`."""

    def __init__(self, fails: int = -1) -> None:
        self.fails = fails
        self.submitted = 0
        self.under_way = 0
        self.most = 0

    def submit(self, piece: Piece, options: DecodingOptions, *, block: bool) -> "Answer":
        assert block
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.submitted += 1
        return Answer(self, self.submitted)


class Answer:
    def __init__(self, recognizer: Answering, number: int) -> None:
        self.recognizer = recognizer
        self.number = number

    def result(self) -> None:
        self.recognizer.under_way -= 1
        if self.number == self.recognizer.fails:
            raise InferenceError("poor thing")


def test_requests_are_all_answered_and_few_are_under_way() -> None:
    recognizer = Answering()
    plan = replace(SMOKE_PLAN, requests=80, under_way=7)
    points = by_requests(cast(Recognizer, recognizer), plan)
    assert (recognizer.submitted, recognizer.under_way, recognizer.most) == (80, 0, 7)
    assert [point["requests"] for point in points] == [float(n) for n in range(2, 81, 2)]


@pytest.mark.parametrize("fails", [1, 40, 80])
def test_no_failure_goes_unseen(fails: int) -> None:
    plan = replace(SMOKE_PLAN, requests=80, under_way=7)
    with pytest.raises(InferenceError):
        by_requests(cast(Recognizer, Answering(fails)), plan)


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
