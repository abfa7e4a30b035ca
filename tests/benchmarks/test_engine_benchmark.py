import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.config import TransformerConfig
from auricle.recognizer import Recognizer
from auricle_types.options import EngineConfig
from benchmarks import engine
from benchmarks.engine import main
from benchmarks.ours import FULL_CONTEXT, PROCESSES, Auricle, recognizer
from benchmarks.peers.field import INT8, PEERS, WORKERS
from benchmarks.peers.peer import Generate
from benchmarks.rounds import MiscountError, Standing
from benchmarks.workload import QUICK, SMOKE, exactly, talker
from tests.benchmarks.fakes import FakeGenerate, here


def smoke_run(output: Path) -> str:
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def fake_field(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, dims: TransformerConfig, threads: int) -> Generate:
        return FakeGenerate()

    monkeypatch.setattr(engine, "installed", lambda: [INT8])
    monkeypatch.setattr(engine, "load", load)
    monkeypatch.setattr(engine, "Elsewhere", here)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_field")
def test_a_smoke_run_has_every_figure_and_the_first_dtype_counts(tmp_path: Path) -> None:
    output = smoke_run(tmp_path / "engine.json")
    result = json.loads((tmp_path / "engine.json").read_text())
    assert result["quick"] is True
    assert result["ratio_vs_ctranslate2_int8"] > 0
    assert result["ratio_full_context_vs_ctranslate2_int8"] > 0
    assert result["encoder_roofline_fraction"] > 0
    assert result["tokens_each"] == QUICK.tokens
    assert INT8 in result["contestants"]
    assert all(name in output for name in result["contestants"])
    first = next(iter(result["contestants"]))
    assert result["ratio_vs_ctranslate2_int8"] == result["ratios"][first][INT8]
    whole = result["ratios"][f"{first}, full context"]
    assert result["ratio_full_context_vs_ctranslate2_int8"] == whole[INT8]


def test_the_faster_way_counts_ours_and_ctranslate2s() -> None:
    speeds = {"ours": 60.0, "ours" + FULL_CONTEXT: 18.0, INT8: 10.0, WORKERS: 20.0}
    standings = {name: Standing([speed], {}) for name, speed in speeds.items()}
    figures = engine._figures(engine.SMOKE_PLAN, standings, "ours")
    assert figures["ratio_vs_ctranslate2_int8"] == 3.0
    assert figures["ratio_full_context_vs_ctranslate2_int8"] == 0.9
    standings["ours" + PROCESSES] = Standing([90.0], {})
    standings["ours" + FULL_CONTEXT + PROCESSES] = Standing([17.0], {})
    figures = engine._figures(engine.SMOKE_PLAN, standings, "ours")
    assert figures["ratio_vs_ctranslate2_int8"] == 4.5
    assert figures["ratio_full_context_vs_ctranslate2_int8"] == 0.9


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The dtype and the processes of each recogniser, of which none is loaded."""
    asked: list[tuple[str, int]] = []

    def load(path: Path, *, dtype: str, engine: EngineConfig, device: str) -> None:
        asked.append((dtype, engine.processes))

    monkeypatch.setattr(Recognizer, "from_pretrained", load)
    monkeypatch.setattr(Auricle, "run", lambda ours: None)
    return asked


def test_the_first_dtype_is_to_run_in_a_process_a_thread_too(asked: list[tuple[str, int]]) -> None:
    makes = engine._ours(engine.SMOKE_PLAN, ("float32", "bfloat16"), threads=2)
    names = [make().name for make in makes]
    assert asked == [*[("float32", 1)] * 2, *[("float32", 2)] * 2, *[("bfloat16", 1)] * 2]
    assert names[2] == "auricle float32, a process a thread"
    assert len(set(names)) == 6


@pytest.mark.slow
def test_the_first_dtype_runs_in_a_process_a_thread_too(tmp_path: Path) -> None:
    plan = replace(engine.SMOKE_PLAN, checkpoint=tmp_path / "random.safetensors")
    engine._save(plan)
    makes = list(engine._ours(plan, ("float32", "bfloat16"), threads=2))
    assert len(makes) == 6
    ours = makes[2]()
    assert ours.name == "auricle float32, a process a thread"
    ours._recognizer.close()


def test_a_dtype_runs_once_however_it_is_called(asked: list[tuple[str, int]]) -> None:
    makes = engine._ours(engine.SMOKE_PLAN, ("auto", "float32", "bfloat16"), threads=1)
    runners = [make() for make in makes]
    dtypes = [dtype for dtype, _ in asked]
    assert sorted(dtypes) == ["bfloat16", "bfloat16", "float32", "float32"]
    assert [each.name.endswith(FULL_CONTEXT) for each in runners] == [False, True] * 2


def test_the_full_plan_is_what_is_said_of_it() -> None:
    plan = engine.Plan()
    assert plan.workload.utterances == 64
    assert plan.rounds >= 3
    assert tuple(plan.batch_sizes) == (1, 2, 4, 8, 16, 32)


def test_ours_checks_its_own_tokens() -> None:
    with recognizer(talker(SMOKE), "float32") as loaded:
        ours = Auricle("ours", loaded, QUICK.samples(), exactly(QUICK.tokens), audio_seconds=1.0)
        ours.run()
        assert ours.facts()["dtype"] == "float32"
        wrong = Auricle("ours", loaded, [QUICK.samples()[0][:320]], exactly(4), audio_seconds=1.0)
        with pytest.raises(MiscountError, match="ours made"):
            wrong.run()  # 20 ms hold one encoder frame, and so one token


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
def test_a_smoke_run_with_the_peers_that_are_here(tmp_path: Path) -> None:
    output = smoke_run(tmp_path / "engine.json")
    contestants = json.loads((tmp_path / "engine.json").read_text())["contestants"]
    for name in PEERS:
        assert (name in contestants) != (f"without {name}" in output)
