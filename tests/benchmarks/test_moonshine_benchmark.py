"""Moonshine's shape, small: ours and its peers are real."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.recognizer import Recognizer
from auricle_types.options import EngineConfig
from benchmarks import moonshine
from benchmarks.moonshine import MOONSHINE_TINY, Plan, held_against, main, our_name
from benchmarks.ours import Auricle
from benchmarks.rounds import Standing
from tests.benchmarks.fakes import here

pytest.importorskip("transformers", reason="transformers is not installed")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
def test_it_is_held_against_single_utterances(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(moonshine, "Elsewhere", here)
    output = tmp_path / "result.json"
    arguments = ["--quick", "--threads", "1", "--output", str(output)]
    done = CliRunner().invoke(main, [*arguments, "--dtype", "float32", "--beam", "2"])
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text())
    assert (result["benchmark"], result["dtype_of_targets"]) == ("moonshine-tiny", "float32")
    (search,) = result["searches"]
    ((reference, over),) = search["over"].items()
    assert search["beam_size"] == 2
    assert reference == "transformers float32, one by one"
    assert over[reference] == 1.0
    assert {"transformers float32, 8 together", our_name("float32")} < set(search["contestants"])


def test_the_dtype_of_the_targets_is_to_run_in_a_process_a_thread_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for, not started."""
    asked: list[tuple[str, int]] = []

    def load(folder: Path, *, dtype: str, engine: EngineConfig, device: str) -> None:
        asked.append((dtype, engine.processes))

    monkeypatch.setattr(Recognizer, "from_pretrained", load)
    monkeypatch.setattr(Auricle, "run", lambda ours: None)
    plan = Plan(tmp_path, dtypes=("float32", "int8"), threads=2)
    names = [make().name for make in moonshine._ours(plan, 1)]
    assert asked == [("float32", 1), ("float32", 2), ("int8", 1)]
    assert names == [our_name(*each) for each in asked]
    assert names[1] == "auricle float32, auto, a process a thread"


def test_ratios_are_to_the_reference() -> None:
    standings = {"a": Standing([3.0], {}), "ours": Standing([6.0], {})}
    assert held_against("a", standings)["over"] == {"a": {"a": 1.0, "ours": 2.0}}
    assert held_against("b", standings)["over"] == {"b": {"a": None, "ours": None}}


def test_the_shape_is_that_of_the_published_model() -> None:
    found = MOONSHINE_TINY
    assert (found.d_model, found.ffn_dim, found.vocab_size) == (288, 1152, 32_768)
