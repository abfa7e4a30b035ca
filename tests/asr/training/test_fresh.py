"""Synthetic speech on the fly: other speech each epoch, the same one for the same seed."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auricle.config import SAMPLE_RATE
from auricle.training import fresh as fresh_speech
from auricle.training.clips import Clip
from auricle.training.config import FreshConfig, TrainingConfig
from auricle.training.fresh import folder_of
from auricle.training.loss import Losses
from auricle.training.synthesis import run as synthesis
from auricle.training.synthesis.programs import output
from auricle.training.synthesis.voices import Voice
from auricle.training.trainer import Trainer
from auricle_types.errors import (
    InvalidOptionError,
    SynthesisError,
    SynthesizerMissingError,
    TrainingInterruptedError,
)
from tests.asr.tiny import SENTENCES
from tests.asr.training.runs import UTTERANCES, tiny_run

Speaker = Callable[[str, Voice], NDArray[np.float32]]
SECONDS = 2.0  # of an utterance
SPOKEN = 3  # utterances an epoch

Speaking = Callable[[Speaker], None]


def hum(text: str, voice: Voice) -> NDArray[np.float32]:
    time = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 200 * voice.pitch + sum(map(ord, text)) % 100
    return (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


@pytest.fixture
def speaking_by(monkeypatch: pytest.MonkeyPatch) -> Speaking:
    """Puts a function in the place of the engines."""
    for module in (synthesis, fresh_speech):
        monkeypatch.setattr(module, "speakers_of", lambda names: {name: ["one"] for name in names})
    return lambda speaker: monkeypatch.setattr(synthesis, "speak", speaker)


def fresh_run(folder: Path, *, epochs: int = 2) -> TrainingConfig:
    config = tiny_run(folder, epochs=epochs)
    text = folder / "sentences.txt"
    text.write_text("\n".join(SENTENCES))
    hours = (SECONDS * SPOKEN - 0.5) / 3600
    return replace(config, fresh=FreshConfig(text, hours))


@contextmanager
def speech_of(trainer: Trainer) -> Iterator[None]:
    """What is made for a trainer that does not run."""
    assert trainer.fresh is not None
    with trainer.fresh:
        yield


def heard_by(config: TrainingConfig, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts of each epoch of a run."""
    epochs: dict[int, list[str]] = {}
    step = Trainer._step

    def noting(trainer: Trainer, clips: list[Clip]) -> Losses:
        epochs.setdefault(trainer.state.epoch, []).extend(map(trainer._text, clips))
        return step(trainer, clips)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", noting)
        Trainer(config).run()
    return [sorted(texts) for _, texts in sorted(epochs.items())]


def test_each_epoch_hears_speech_of_its_own_beside_the_recordings(
    tmp_path: Path, speaking_by: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking_by(hum)
    first, second = heard_by(fresh_run(tmp_path), monkeypatch)
    assert len(first) == len(second) == UTTERANCES + SPOKEN
    assert first != second


def test_only_the_present_and_the_next_epoch_are_kept(
    tmp_path: Path, speaking_by: Speaking
) -> None:
    speaking_by(hum)
    config = fresh_run(tmp_path, epochs=3)
    trainer = Trainer(config)
    with speech_of(trainer):
        trainer._gather()
        trainer.state.epoch = 1
        trainer._gather()
    kept = sorted(path.name for path in folder_of(config.output).iterdir())
    assert kept[0].startswith("epoch-000001")
    assert len(kept) <= 2


def test_a_resumed_run_hears_what_it_would_have_heard(
    tmp_path: Path, speaking_by: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking_by(hum)
    whole = Trainer(fresh_run(tmp_path / "whole"))
    whole.run()
    config = fresh_run(tmp_path / "parts")
    step = Trainer._step

    def stopping(trainer: Trainer, clips: list[Clip]) -> Losses:
        if trainer.state.step == 7:
            raise KeyboardInterrupt
        return step(trainer, clips)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", stopping)
        interrupted = Trainer(config)
        with pytest.raises(KeyboardInterrupt):
            interrupted.run()
    resumed = Trainer(config)
    assert 0 < resumed.state.step <= 7
    resumed.run()
    assert resumed.state.step == whole.state.step > 7
    weights = (trainer.state.model.state_dict().values() for trainer in (whole, resumed))
    assert all(map(torch.equal, *weights))


def test_an_engine_that_fails_ends_the_run(tmp_path: Path, speaking_by: Speaking) -> None:
    def fails(text: str, voice: Voice) -> NDArray[np.float32]:
        raise SynthesisError(f"choked on {text}")

    speaking_by(fails)
    with pytest.raises(SynthesisError, match="failures in a row"):
        Trainer(fresh_run(tmp_path)).run()


def test_a_missing_engine_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SynthesizerMissingError, match="apt-get install espeak-ng"):
        Trainer(fresh_run(tmp_path)).run()


def test_a_missing_text_is_noticed_at_once(tmp_path: Path, speaking_by: Speaking) -> None:
    speaking_by(hum)
    config = fresh_run(tmp_path)
    assert config.fresh is not None
    config.fresh.text.unlink()
    with pytest.raises(InvalidOptionError, match=r"sentences\.txt is no file"):
        Trainer(config)
    assert not config.data.cache.exists()


def test_a_killed_engine_ends_the_run_and_skips_no_sentence(
    tmp_path: Path, speaking_by: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal to all of a service's processes must not change what a resumed run hears."""
    speaking_by(hum)
    expected = heard_by(fresh_run(tmp_path / "whole"), monkeypatch)
    calls = itertools.count()

    def killed(text: str, voice: Voice) -> NDArray[np.float32]:
        if next(calls) == 1:
            output(["sh", "-c", "kill -TERM $$"])
        return hum(text, voice)

    config = fresh_run(tmp_path / "parts")
    speaking_by(killed)
    with pytest.raises(SynthesisError, match="killed by signal 15"):
        Trainer(config).run()
    assert heard_by(config, monkeypatch) == expected


def test_changed_hours_take_effect_and_a_changed_text_is_refused(
    tmp_path: Path, speaking_by: Speaking
) -> None:
    speaking_by(hum)
    config = fresh_run(tmp_path, epochs=1)
    assert config.fresh is not None

    def gathered(fresh: FreshConfig) -> int:
        trainer = Trainer(replace(config, fresh=fresh))
        with speech_of(trainer):
            trainer._gather()
        return len(trainer.utterances) - len(trainer.recorded)

    assert gathered(config.fresh) == SPOKEN
    more = replace(config.fresh, hours=2 * config.fresh.hours)
    assert gathered(more) > SPOKEN
    config.fresh.text.write_text("other words")
    with pytest.raises(InvalidOptionError, match="put \\[fresh\\] back"):
        gathered(more)


def test_who_waits_for_speech_can_be_interrupted(tmp_path: Path, speaking_by: Speaking) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(text: str, voice: Voice) -> NDArray[np.float32]:
        begun.set()
        release.wait(60)
        return hum(text, voice)

    speaking_by(slow)
    config = fresh_run(tmp_path)
    trainer = Trainer(config)
    fresh = trainer.fresh
    assert fresh is not None

    def interrupted() -> bool:
        assert begun.wait(60)
        release.set()  # so that the thread may end
        return True

    with fresh, pytest.raises(TrainingInterruptedError, match="speech of epoch 0"):
        fresh.make(0, interrupted)


def test_what_is_too_short_for_its_text_is_left_out(
    tmp_path: Path, speaking_by: Speaking, caplog: pytest.LogCaptureFixture
) -> None:
    def hasty(text: str, voice: Voice) -> NDArray[np.float32]:
        samples = hum(text, voice)
        return samples[: SAMPLE_RATE // 20] if text == SENTENCES[0] else samples

    speaking_by(hasty)
    config = fresh_run(tmp_path)
    assert config.fresh is not None
    trainer = Trainer(replace(config, fresh=replace(config.fresh, hours=40 / 3600)))
    with speech_of(trainer):
        trainer._gather()
    fresh = trainer.utterances[len(trainer.recorded) :]
    assert SENTENCES[0] not in {utterance.text for _, utterance in fresh}
    assert "too short for its text" in caplog.text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hours": 0.0}, "hours must be above 0"),
        ({"hours": float("inf")}, "hours must be above 0"),
        ({"engines": ("sam",)}, "engines must be some of espeak-ng"),
        ({"engines": ()}, "engines must be some of espeak-ng"),
    ],
)
def test_bad_entries_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        replace(FreshConfig(Path("text"), 1.0), **changed)
