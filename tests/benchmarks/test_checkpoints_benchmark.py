"""The shapes of published models, small: ours and their files are real, peers mostly stand-ins."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle.config import AudioContext, EngineConfig, TransformerConfig
from auricle.recognizer import Recognizer
from benchmarks import checkpoints, shapes
from benchmarks.checkpoints import main, our_name
from benchmarks.ours import Auricle
from benchmarks.peers.field import EVERY_MODE, FLOAT32, INT8, WORKERS
from benchmarks.peers.peer import Generate
from benchmarks.rounds import MiscountError, Standing
from benchmarks.shapes import SHAPES, WHOLE
from benchmarks.workload import QUICK
from tests.benchmarks.fakes import FakeGenerate, here

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("whisper", reason="openai-whisper is not installed")


def smoke_run(shape: str, output: Path, *options: str) -> str:
    arguments = [shape, "--quick", "--threads", "1", "--output", str(output), *options]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeGenerate]:
    """In the place of Whisper's peers, by their names."""
    found = {name: FakeGenerate() for name in (INT8, FLOAT32)}

    def load(name: str, dims: TransformerConfig, threads: int) -> Generate:
        return found[name]

    monkeypatch.setattr(
        shapes, "installed", lambda peers: [each for each in peers if each in found]
    )
    monkeypatch.setattr(shapes, "load", load)
    monkeypatch.setattr(checkpoints, "Elsewhere", here)
    return found


@pytest.mark.slow
def test_a_smoke_run_has_every_figure(fakes: dict[str, FakeGenerate], tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    said = smoke_run("whisper-tiny", output, "--dtype", "float32")
    result = json.loads(output.read_text())
    assert result["benchmark"] == "whisper-tiny"
    assert result["quick"] is True
    assert result["tokens_each"] == QUICK.tokens
    assert result["targets"] == {"full": 1.0, "auto": 6.0}
    assert result["dtype_of_targets"] == "float32"
    names = {our_name("float32", "full"), our_name("float32", "auto"), *fakes}
    for search, beam in zip(result["searches"], (1, 5), strict=True):
        assert search["beam_size"] == beam
        assert search["contestants"].keys() == search["over"][INT8].keys() == names
        assert search["over"][INT8][INT8] == 1.0
        assert set(search["over"][WORKERS].values()) == {None}  # it did not run
        assert f"beam size {beam}" in said
    assert all(said.count(name) >= 2 for name in names)


def test_peers_are_asked_for_the_same_beams(fakes: dict[str, FakeGenerate], tmp_path: Path) -> None:
    smoke_run("whisper-tiny", tmp_path / "result.json", "--dtype", "float32", "--beam", "3")
    assert [fake.beams for fake in fakes.values()] == [{3}, {3}]
    (search,) = json.loads((tmp_path / "result.json").read_text())["searches"]
    assert search["beam_size"] == 3


def test_full_context_costs_more_than_auto(fakes: dict[str, FakeGenerate], tmp_path: Path) -> None:
    """Audio of half a second: sixty times less to encode, but for its margin."""
    plan = checkpoints.Plan(SHAPES["whisper-tiny"].small, tmp_path, amount=shapes.SMOKE_AMOUNT)
    plan.shape.save(plan.shape.dims, tmp_path)
    runners = {c: checkpoints.auricle(plan, "float32", c, 1) for c in plan.shape.targets}
    heard = {name: each._recognizer.config.heard(8_000) for name, each in runners.items()}
    assert heard == {"full": 480_000, "auto": 8_000 + 40_960}
    assert runners["full"].audio_seconds < runners["auto"].audio_seconds  # fewer utterances
    for each in runners.values():
        each._recognizer.close()


def two_threads(folder: Path) -> checkpoints.Plan:
    small, amount = SHAPES["whisper-tiny"].small, shapes.SMOKE_AMOUNT
    return checkpoints.Plan(small, folder, ("float32", "int8"), amount, threads=2)


def test_the_dtype_of_the_targets_is_to_run_in_a_process_a_thread_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for, not started."""
    asked: list[tuple[str, AudioContext, int]] = []

    def load(
        folder: Path, *, dtype: str, engine: EngineConfig, audio_context: AudioContext, device: str
    ) -> None:
        asked.append((dtype, audio_context, engine.processes))

    monkeypatch.setattr(Recognizer, "from_pretrained", load)
    monkeypatch.setattr(Auricle, "run", lambda ours: None)
    names = [make().name for make in checkpoints._ours(two_threads(tmp_path), 1)]
    assert asked == [
        ("float32", "full", 1),
        ("float32", "full", 2),
        ("float32", "auto", 1),
        ("float32", "auto", 2),
        ("int8", "full", 1),
        ("int8", "auto", 1),
    ]
    assert names == [our_name(*each) for each in asked]
    assert names[1] == "auricle float32, full, a process a thread"


@pytest.mark.slow
def test_the_dtype_of_the_targets_runs_in_a_process_a_thread_too(tmp_path: Path) -> None:
    plan = two_threads(tmp_path)
    plan.shape.save(plan.shape.dims, tmp_path)
    ours = list(checkpoints._ours(plan, 1))[1]()
    assert isinstance(ours, Auricle)
    assert ours.name == our_name("float32", "full", 2)
    ours._recognizer.close()


def test_other_beams_are_kept_where_wanted(fakes: dict[str, FakeGenerate], tmp_path: Path) -> None:
    output, earlier = tmp_path / "result.json", {"beam_size": 2, "contestants": {}}
    output.write_text(json.dumps({"searches": [earlier]}))
    smoke_run("whisper-tiny", output, "--dtype", "float32", "--beam", "1", "--keep")
    greedy, kept = json.loads(output.read_text())["searches"]
    assert (greedy["beam_size"], kept) == (1, earlier)
    assert checkpoints._others(output, (1, 2)) == []  # measured again, it is not kept


@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
def test_moonshine_is_held_against_single_utterances(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checkpoints, "Elsewhere", here)
    output = tmp_path / "result.json"
    smoke_run("moonshine-tiny", output, "--dtype", "float32", "--beam", "2")
    (search,) = json.loads(output.read_text())["searches"]
    speeds = {
        name: each["audio_seconds_per_second"] for name, each in search["contestants"].items()
    }
    ((reference, over),) = search["over"].items()
    assert reference == "transformers float32, one by one"
    assert over[reference] == 1.0
    assert {"transformers float32, 8 together", our_name("float32", "auto")} < set(speeds)


def test_ratios_are_to_each_reference() -> None:
    standings = {"a": Standing([3.0], {}), "b": Standing([4.0], {}), "ours": Standing([6.0], {})}
    found = checkpoints._held_against(["a", "b"], standings)
    assert found["over"]["a"]["ours"] == 2.0
    assert found["over"]["b"] == {"a": 0.75, "b": 1.0, "ours": 1.5}


def test_without_a_reference_there_is_no_ratio() -> None:
    found = checkpoints._held_against(["absent"], {"ours": Standing([6.0], {})})
    assert found["over"] == {"absent": {"ours": None}}


@pytest.mark.parametrize("off", [-1, 1])
def test_a_peer_that_makes_other_tokens_fails_the_run(
    fakes: dict[str, FakeGenerate], tmp_path: Path, off: int
) -> None:
    fakes[INT8].off = off
    arguments = ["whisper-tiny", "--quick", "--beam", "1", "--output", str(tmp_path / "no.json")]
    done = CliRunner().invoke(main, arguments)
    assert isinstance(done.exception, MiscountError)
    assert not (tmp_path / "no.json").exists()


def test_shapes_are_those_of_the_published_models() -> None:
    tiny, base = SHAPES["whisper-tiny"].dims, SHAPES["whisper-base"].dims
    assert (tiny.d_model, tiny.n_heads, tiny.ffn_dim, tiny.encoder_layers) == (384, 6, 1536, 4)
    assert (base.d_model, base.n_heads, base.ffn_dim, base.encoder_layers) == (512, 8, 2048, 6)
    moonshine = SHAPES["moonshine-tiny"].dims
    assert (moonshine.d_model, moonshine.ffn_dim, moonshine.vocab_size) == (288, 1152, 32_768)
    assert (WHOLE.workload.shortest, WHOLE.workload.longest) == (2.0, 15.0)
    assert max(WHOLE.batch_sizes) <= WHOLE.peer_utterances <= WHOLE.full_utterances


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
def test_a_smoke_run_with_the_peers_that_are_here(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    said = smoke_run("whisper-base", output)
    for search in json.loads(output.read_text())["searches"]:
        for name in EVERY_MODE:
            assert (name in search["contestants"]) != (f"without {name}" in said)
