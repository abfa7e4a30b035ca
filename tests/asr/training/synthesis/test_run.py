import io
import itertools
import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from auricle.config import SAMPLE_RATE
from auricle.training.synthesis import Sentence, SynthesisConfig, run, synthesize
from auricle.training.synthesis.run import FAILURES_IN_A_ROW, map_in_order
from auricle.training.synthesis.voices import Voice
from auricle_types.errors import InvalidOptionError, SynthesisError, SynthesizerMissingError

SENTENCES = [Sentence(f"sentence {word}", f"Sentence {word}.") for word in "abcdefghij"]
SECOND = 1 / 3600  # in hours
Speaker = Callable[[str, Voice], NDArray[np.float32]]

needs_engines = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite"))), reason="needs espeak-ng and flite"
)


def hum(text: str, voice: Voice) -> NDArray[np.float32]:
    """One second, or a little more, that depends on text and voice."""
    samples = SAMPLE_RATE + 100 * (sum(map(ord, text)) % 7)
    time = np.arange(samples) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * 200 * voice.pitch * time)).astype(np.float32)


@pytest.fixture
def speaking_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Speaker], None]:
    """Puts a function in the place of the engines."""
    monkeypatch.setattr(run, "speakers_of", lambda names: {name: ["one", "two"] for name in names})
    return lambda speaker: monkeypatch.setattr(run, "speak", speaker)


@pytest.fixture
def humming(speaking_by: Callable[[Speaker], None]) -> None:
    speaking_by(hum)


def config(seconds: float, *, workers: int = 1, shard: float = 60.0) -> SynthesisConfig:
    return SynthesisConfig(
        hours=seconds * SECOND, seed=3, workers=workers, shard_hours=shard * SECOND
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.usefixtures("humming")
def test_the_number_of_workers_does_not_matter(tmp_path: Path) -> None:
    one = synthesize(SENTENCES, tmp_path / "one", config(9.0))
    many = synthesize(SENTENCES, tmp_path / "many", config(9.0, workers=4))
    assert one == many
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


@pytest.mark.usefixtures("humming")
def test_the_seed_matters(tmp_path: Path) -> None:
    for seed in (1, 2):
        synthesize(SENTENCES, tmp_path / str(seed), SynthesisConfig(hours=5 * SECOND, seed=seed))
    assert contents(tmp_path / "1")["train.jsonl"] != contents(tmp_path / "2")["train.jsonl"]


@pytest.mark.usefixtures("humming")
def test_it_stops_as_soon_as_there_is_enough(tmp_path: Path) -> None:
    summary = synthesize(SENTENCES, tmp_path, config(9.5, shard=4.0))
    assert 9.5 <= summary.seconds < 9.5 + 1.1
    assert summary.shards == 3
    assert summary.skipped == 0
    assert summary.utterances == len((tmp_path / "train.jsonl").read_text().splitlines())


def test_an_interrupted_run_goes_on_to_the_same_end(
    tmp_path: Path, speaking_by: Callable[[Speaker], None]
) -> None:
    calls = itertools.count()

    def tires(text: str, voice: Voice) -> NDArray[np.float32]:
        if next(calls) == 7:
            raise KeyboardInterrupt
        return hum(text, voice)

    speaking_by(hum)
    synthesize(SENTENCES, tmp_path / "through", config(12.0, shard=3.0))
    speaking_by(tires)
    with pytest.raises(KeyboardInterrupt):
        synthesize(SENTENCES, tmp_path / "resumed", config(12.0, shard=3.0))
    assert sorted(contents(tmp_path / "resumed")) == [
        *("plan.json", "train-00000.tar", "train-00001.tar", "train.jsonl")
    ]
    kept = (tmp_path / "resumed" / "train-00001.tar").stat().st_mtime_ns
    synthesize(SENTENCES, tmp_path / "resumed", config(12.0, shard=3.0))
    assert contents(tmp_path / "through") == contents(tmp_path / "resumed")
    assert (tmp_path / "resumed" / "train-00001.tar").stat().st_mtime_ns == kept


@pytest.mark.usefixtures("humming")
def test_more_hours_go_on_with_the_plan(tmp_path: Path) -> None:
    def spoken(folder: Path) -> list[str]:
        lines = (folder / "train.jsonl").read_text().splitlines()
        return [json.loads(line)["audio_filepath"] for line in lines]

    synthesize(SENTENCES, tmp_path / "grown", config(4.0))
    synthesize(SENTENCES, tmp_path / "grown", config(8.0))
    synthesize(SENTENCES, tmp_path / "whole", config(8.0))
    assert spoken(tmp_path / "grown") == spoken(tmp_path / "whole")


def test_enough_is_enough(tmp_path: Path, speaking_by: Callable[[Speaker], None]) -> None:
    def never(_text: str, _voice: Voice) -> NDArray[np.float32]:
        raise AssertionError("nothing is missing")

    speaking_by(hum)
    first = synthesize(SENTENCES, tmp_path, config(6.0, shard=2.0))
    before = contents(tmp_path)
    speaking_by(never)
    assert synthesize(SENTENCES, tmp_path, config(6.0, shard=2.0)) == first
    assert contents(tmp_path) == before


def test_what_cannot_be_said_is_skipped_and_counted(
    tmp_path: Path, speaking_by: Callable[[Speaker], None], caplog: pytest.LogCaptureFixture
) -> None:
    def chokes(text: str, voice: Voice) -> NDArray[np.float32]:
        if text == "Sentence c.":
            raise SynthesisError("flite choked on c")
        return hum(text, voice)

    speaking_by(chokes)
    summary = synthesize(SENTENCES, tmp_path, config(9.0))
    assert summary.skipped == 1
    assert "flite choked on c" in caplog.text
    assert "sentence c" not in (tmp_path / "train.jsonl").read_text()


def test_an_engine_that_always_fails_stops_the_run(
    tmp_path: Path, speaking_by: Callable[[Speaker], None]
) -> None:
    def broken(_text: str, _voice: Voice) -> NDArray[np.float32]:
        raise SynthesisError("no space left")

    speaking_by(broken)
    with pytest.raises(SynthesisError, match=f"{FAILURES_IN_A_ROW} failures .* no space left"):
        synthesize(SENTENCES, tmp_path, config(9.0))
    assert list(contents(tmp_path)) == ["plan.json"]


def test_a_missing_engine_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesizerMissingError):
        synthesize(SENTENCES, tmp_path / "out", config(9.0))
    assert not (tmp_path / "out").exists()


def test_an_engine_removed_meanwhile_stops_the_run(
    tmp_path: Path, speaking_by: Callable[[Speaker], None]
) -> None:
    def removed(_text: str, _voice: Voice) -> NDArray[np.float32]:
        raise SynthesizerMissingError("flite is not installed")

    speaking_by(removed)
    with pytest.raises(SynthesizerMissingError):
        synthesize(SENTENCES, tmp_path, config(9.0))


@pytest.mark.parametrize(
    "options",
    [{"hours": 0.0}, {"hours": float("nan")}, {"workers": 0}, {"shard_hours": -1.0}, {"seed": -1}],
)
def test_impossible_options_are_named(options: dict[str, float]) -> None:
    (name,) = options
    with pytest.raises(InvalidOptionError, match=name):
        SynthesisConfig(**({"hours": 1.0} | options))  # type: ignore[arg-type]


def test_map_in_order_keeps_the_order_of_an_endless_list() -> None:
    finished = [threading.Event() for _ in range(4)]

    def backwards(job: int) -> int:
        if job < 3:
            finished[job + 1].wait(timeout=10)
        if job < 4:
            finished[job].set()
        return job * job

    with ThreadPoolExecutor(4) as pool:
        results = map_in_order(pool, backwards, itertools.count(), ahead=4)
        assert list(itertools.islice(results, 10)) == [job * job for job in range(10)]
        results.close()


def test_map_in_order_takes_no_more_jobs_than_it_may() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for job in range(100):
            taken.append(job)
            yield job

    with ThreadPoolExecutor(2) as pool:
        results = map_in_order(pool, abs, jobs(), ahead=5)
        assert taken == []
        next(results)
        assert len(taken) == 5
        results.close()
    assert len(taken) == 5


def test_map_in_order_ends_with_its_jobs() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert list(map_in_order(pool, abs, [-1, -2, -3], ahead=2)) == [1, 2, 3]
        assert list(map_in_order(pool, abs, [])) == []


@needs_engines
def test_the_manifest_tells_the_truth_about_real_speech(tmp_path: Path) -> None:
    sentences = [
        Sentence("we close at seven p m", "We close at seven pee em."),
        Sentence("the street was empty", "The street was empty."),
    ]
    summary = synthesize(sentences, tmp_path, config(16.0, workers=2))
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text().splitlines()]
    assert {row["corpus"] for row in rows} == {"espeak-ng", "flite"}
    assert summary.seconds == pytest.approx(sum(row["duration"] for row in rows))
    with tarfile.open(tmp_path / "train-00000.tar") as tar:
        assert tar.getnames() == [row["audio_filepath"] for row in rows]
        for row in rows:
            file = tar.extractfile(row["audio_filepath"])
            assert file is not None
            samples, rate = soundfile.read(io.BytesIO(file.read()))
            assert (rate, samples.ndim) == (SAMPLE_RATE, 1)
            assert len(samples) / rate == pytest.approx(row["duration"], abs=1e-3)
            assert np.abs(samples).max() > 0.05
