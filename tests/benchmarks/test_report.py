"""The documents say what the results say; the results here are made by the benchmarks' own code."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cancellation, engine, growth, load, moonshine, report, server
from benchmarks.contention import Speed
from benchmarks.dtypes import Difference
from benchmarks.hotwords import Score
from benchmarks.invariance import Rate
from benchmarks.live import LiveFigures
from benchmarks.moonshine import our_name, peer_name
from benchmarks.ours import FULL_CONTEXT, PROCESSES
from benchmarks.peers.field import INT8, WORKERS
from benchmarks.report import DOCS, PAGES, WRITERS, block, replaced
from benchmarks.results import RESULTS, Result
from benchmarks.rounds import Standing
from tests.benchmarks.test_accuracy_tables import accuracy_figures
from tests.benchmarks.test_calibration_benchmark import calibration_figures
from tests.benchmarks.test_load_benchmark import CALM, SLOW

OURS = "auricle float32"
REFERENCE = peer_name("float32", moonshine.ONE_BY_ONE)
PAGE_OF_BLOCKS = "\n".join(f"<!-- {n} -->\nold\n<!-- end of {n} -->\nprose" for n in WRITERS)


def engine_figures() -> dict[str, Any]:
    standings = {
        OURS: Standing([60.0], {"dtype": "float32"}),
        OURS + FULL_CONTEXT: Standing([9.0], {"dtype": "float32"}),
        INT8: Standing([10.0], {"batch_size": 4}),
    }
    roofline = {
        "encoder_roofline_fraction": 0.51,
        "encoder_gflops": 51.0,
        "bf16_product_gflops": 100.0,
        "encoder_dtype": "float32",
        "float32_product_gflops": 102.0,
        "encoder_over_float32_product": 0.5,
        "product_size": 2048,
    }
    return engine._figures(engine.SMOKE_PLAN, standings, OURS) | roofline


def moonshine_figures() -> dict[str, Any]:
    """Beams miss their target."""
    searches = []
    for beam, speed in ((1, 70.0), (5, 20.0)):
        ours, theirs = Standing([speed], {"dtype": "int8"}), Standing([10.0], {"batch_size": 1})
        found = moonshine.held_against(REFERENCE, {our_name("int8"): ours, REFERENCE: theirs})
        searches.append({"beam_size": beam, **found})
    return moonshine.figures(moonshine.Plan(Path()), searches)


def difference_figures() -> dict[str, Any]:
    rows = (
        Difference("bundled", "cpu", "int8", 40, 0.5, 0.125, 0.01, 0.02, 0.02, 0.35),
        Difference("random", "cuda", "float16", 8, 0.25, 0.03125, 0.0, 0.0, None, None),
    )
    return {"manifests": 1, "differences": [asdict(row) for row in rows]}


def hotword_figures() -> dict[str, Any]:
    plain, boosted = (
        asdict(Score(beam, weight, 9, 8, found, 1, 0.05, 0.125))
        for beam, weight, found in ((1, None, 4), (4, 1.5, 6))
    )
    return {"listed": 7, "weight": 1.5, "scores": [plain, boosted], "tuned": [plain]}


def server_figures() -> dict[str, Any]:
    in_process = {server.ENGINE: Standing([10.0], {}), server.CALLERS: Standing([9.8], {})}
    sides = {**in_process, server.SERVER: Standing([9.5], {})}
    slow = {**in_process, server.SERVER: Standing([8.5], {})}
    return server._figures(server.SMOKE_PLAN, {"bundled": sides, "whisper-tiny": slow})


def growth_figures() -> dict[str, Any]:
    lengths = [{"audio_seconds": s, "seconds": s / 10, "peak_mib": 100.0} for s in (1.0, 2.0)]
    companies = [{"utterances": 1.0, "seconds": 0.1, "peak_mib": 100.0}]
    requests = [{"requests": n, "resident_mib": 100.0} for n in (10.0, 40.0)]
    curves = {"length": lengths, "concurrency": companies, "requests": requests}
    return growth.figures(growth.SMOKE_PLAN, curves)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    figures = {
        "engine": engine_figures(),
        **{name: {"readers": accuracy_figures()["readers"]} for name in report.REAL},
        "moonshine-tiny": moonshine_figures(),
        "server": server_figures(),
        "load": load._figures(CALM, SLOW),
        "growth": growth_figures(),
        "cancellation": {"cancelled": 6, "running": 4, **cancellation._figures([0.002], [0.001])},
        "contention": {"model": "bundled", "speeds": [asdict(Speed("asleep", 1, 12.5))]},
        "accuracy": accuracy_figures(),
        "calibration": calibration_figures(),
        "dtypes": difference_figures(),
        "live": {"dtype": "float32", "figures": [asdict(live_figures())]},
        "hotwords": hotword_figures(),
        "invariance": {"rates": [asdict(Rate("bfloat16", 2, False, 256, 3, 0.125))]},
    }
    assert figures.keys() == WRITERS.keys()
    for name, found in figures.items():
        Result(name, quick=False, threads=2).write(found, tmp_path / f"{name}.json")
    return tmp_path


def rows(name: str, results: Path) -> list[list[str]]:
    lines = [line for line in block(name, results).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_says_what_the_results_say(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert replaced(page, PAGES[name]) == page, "run python -m benchmarks.report"


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_no_smoke_run_is_a_result(path: Path) -> None:
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["quick"] is False
    assert f"{result['benchmark']}.json" == path.name


def test_the_fastest_comes_first(results: Path) -> None:
    table = rows("engine", results)
    assert [row[0] for row in table[1:4]] == [OURS, INT8, OURS + FULL_CONTEXT]
    assert table[2] == [INT8, "4", "10.0", "6.0"]


def test_targets_are_met_or_missed(results: Path) -> None:
    verdicts = {row[0]: row[1:] for row in rows("engine", results)[5:]}
    assert verdicts == {
        f"over {INT8}": ["at least 6", "6.0", "met"],
        f"over {WORKERS}": ["at least 6", "not measured", "missed"],
        f"over {INT8}, full context": ["at least 1", "0.9", "missed"],
        f"over {WORKERS}, full context": ["at least 1", "not measured", "missed"],
        "encoder over the bf16 product": ["at least 0.5", "0.51", "met"],
    }
    ends = [row[-1] for row in rows("server", results)[-2:]]
    assert ends == ["met", "missed"]
    assert rows("load", results)[-1] == ["p99 over p50, continuous", "at most 3", "2.5", "met"]


def test_of_our_two_ways_the_faster_is_held_against_the_engine_s_targets(results: Path) -> None:
    path = results / "engine.json"
    result = json.loads(path.read_text())
    result["ratios"][OURS + PROCESSES] = {INT8: 7.5}
    path.write_text(json.dumps(result))
    found = {row[0]: row[1:] for row in rows("engine", results)}
    assert found[f"over {INT8}"] == ["at least 6", "7.5", "met"]


def test_searches_stand_side_by_side(results: Path) -> None:
    head, first, *_ = table = rows("moonshine-tiny", results)
    over = f"over {REFERENCE}"
    assert head == ["", "Greedy: audio s/s", over, "Beam 5: audio s/s", over]
    assert first == [our_name("int8"), "70.0", "7.0", "20.0", "2.0"]
    assert table[4:] == [
        [f"auto, greedy, {over}", "at least 3", "7.0", "met"],
        [f"auto, beam 5, {over}", "at least 3", "2.0", "missed"],
    ]


def test_real_weights_have_errors_and_speeds(results: Path) -> None:
    for name in report.REAL:
        text = block(name, results)
        assert "WER (95 %), Whisper's normaliser" in text
        assert "over the fastest faster-whisper" in text


def test_hotwords_are_counted_as_shares(results: Path) -> None:
    _, plain, boosted, _, tuned = rows("hotwords", results)
    assert plain == ["greedy", "none", "8", "50.0%", "1", "5.00%", "12.50%"]
    assert boosted[:4] == ["beam 4", "1.5", "8", "75.0%"]
    assert tuned == plain[1:]


def test_dtypes_without_words_leave_them_out(results: Path) -> None:
    _, bundled, random = rows("dtypes", results)
    assert bundled[1:6] == ["cpu, int8", "40", "0.5", "0.125", "1.00%"]
    assert bundled[6:] == ["2.00%", "2.00%", "35.00%"]
    assert random[1:] == ["cuda, float16", "8", "0.25", "0.03125", "0.00%", "0.00%", "", ""]


def test_of_our_two_ways_the_faster_is_held_against_the_target(results: Path) -> None:
    path = results / "moonshine-tiny.json"
    result = json.loads(path.read_text())
    result["searches"][1]["over"][REFERENCE][our_name("int8", 2)] = 3.5
    path.write_text(json.dumps(result))
    found = {row[0]: row[1:] for row in rows("moonshine-tiny", results)}
    assert found[f"auto, greedy, over {REFERENCE}"][1:] == ["7.0", "met"]
    assert found[f"auto, beam 5, over {REFERENCE}"][1:] == ["3.5", "met"]


def test_who_took_no_part_has_no_figure(results: Path) -> None:
    path, name = results / "moonshine-tiny.json", our_name("int8")
    result = json.loads(path.read_text())
    search = result["searches"][1]
    del search["contestants"][name], search["over"][REFERENCE][name]
    path.write_text(json.dumps(result))
    (row,) = (row for row in rows("moonshine-tiny", results) if row[0] == name)
    assert row[1:] == ["70.0", "7.0", "", ""]


def test_both_kinds_of_batching_stand_side_by_side(results: Path) -> None:
    table = {row[0]: row[1:] for row in rows("load", results)}
    assert table["full at, requests/s"] == ["2.0", "1.0"]
    assert table["latency p99, s"] == ["5", "9"]
    assert table["first result p50, s"] == ["none", "none"]
    assert table["useful frames"] == ["0.95", "0.95"]
    assert table["errors"] == ["none", "none"]


def test_growth_is_told_in_words_and_pictures(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "DOCS", tmp_path)
    assert "![" not in block("growth", results)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "growth-length.png").write_bytes(b"")
    text = block("growth", results)
    assert text.count("![") == 1
    assert "Memory changed by 0.0 MiB from request 10 to 40" in text


def test_a_calibration_has_its_picture(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "DOCS", tmp_path)
    assert "![" not in block("calibration", results)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / report.RELIABILITY).write_bytes(b"")
    assert block("calibration", results).endswith("![reliability](images/reliability.png)")


def test_every_block_says_where_it_was_measured(results: Path) -> None:
    for name in WRITERS:
        first = block(name, results).splitlines()[0]
        assert re.match(r"\d{4}-\d\d-\d\d, .*2 threads.*torch \d", first)


def test_what_was_not_measured_says_so(tmp_path: Path) -> None:
    page = replaced(PAGE_OF_BLOCKS, WRITERS, tmp_path)
    assert page.count("Not measured yet: `make ") == len(WRITERS)
    assert "`make bench-engine`" in page
    assert "`make evaluate`" in page
    assert "old" not in page
    assert page.count("prose") == len(WRITERS)


def test_writing_twice_changes_nothing(results: Path) -> None:
    once = replaced(PAGE_OF_BLOCKS, WRITERS, results)
    assert replaced(once, WRITERS, results) == once


def test_a_page_without_its_block_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no block between <!-- engine -->"):
        replaced("nothing", WRITERS, tmp_path)


def live_figures() -> LiveFigures:
    return LiveFigures(1, 8, 0.5, 0.8, 0.7, 0.9, 0, 0.1, 0.0, 0.6, 0.05, 0.05)


def test_live_speech_has_its_targets(results: Path) -> None:
    assert rows("live", results)[-1][-1] == "met"


def test_invariance_says_how_many_differ(results: Path) -> None:
    assert rows("invariance", results)[-1] == ["bfloat16", "2", "no", "3 of 256", "12.5%"]
