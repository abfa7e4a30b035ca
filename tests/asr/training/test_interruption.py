"""Signals that come while a run trains."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from auricle.training.clips import Clip
from auricle.training.interruption import SIGNALS, Interruption
from auricle.training.loss import Losses
from auricle.training.trainer import Trainer
from auricle_types.errors import TrainingInterruptedError
from tests.asr.training.runs import tiny_run

each_signal = pytest.mark.parametrize("number", SIGNALS)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Those before a test are there after it; Ctrl-C is heard, also in a shell's background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@each_signal
def test_the_first_signal_is_a_wish(number: signal.Signals) -> None:
    with Interruption() as interruption:
        assert not interruption.wanted
        signal.raise_signal(number)
        assert interruption.wanted


def test_a_second_ctrl_c_stops_at_once() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.wanted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_repeated_signals_are_one_wish() -> None:
    with Interruption(repeated=True) as interruption:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        assert interruption.wanted


def test_on_another_thread_nothing_is_heard() -> None:
    def enter() -> None:
        with Interruption() as interruption:
            heard.append(interruption.wanted)

    heard: list[bool] = []
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert heard == [False]


@each_signal
@pytest.mark.parametrize("last", [1, 3])
def test_a_run_stops_behind_its_step_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, last: int
) -> None:
    """In the midst of an epoch, and at its end."""
    step = Trainer._step

    def signalled(trainer: Trainer, clips: list[Clip]) -> Losses:
        if trainer.state.step == last:
            signal.raise_signal(number)
        return step(trainer, clips)

    config = tiny_run(tmp_path, epochs=1, checkpoint_steps=1000)
    monkeypatch.setattr(Trainer, "_step", signalled)
    with pytest.raises(TrainingInterruptedError, match="same command again") as caught:
        Trainer(config).run()
    assert f"step {last + 1}" in str(caught.value)
    resumed = Trainer(config)
    assert resumed.state.step == last + 1
    resumed.run()
    assert resumed.state.epoch == 1
    assert (config.output / "last.safetensors").exists()
