"""The run's diary: one JSON line a hundred steps and one an epoch, in `journal.jsonl`."""

import json
import logging
from pathlib import Path

from auricle.training.loss import Losses

logger = logging.getLogger(__name__)
EVERY = 100  # steps


class Journal:
    """Appends to `journal.jsonl` in the run's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"

    def step(self, step: int, losses: Losses, norm: float, learning_rate: float) -> None:
        """Record a step's losses, gradient norm and learning rate, one step in `EVERY`."""
        if step % EVERY == 0:
            ctc, attention = float(losses.ctc), float(losses.attention)
            self._write(step=step, ctc=ctc, attention=attention, norm=norm, lr=learning_rate)

    def epoch(self, epoch: int, step: int, rates: dict[str, tuple[float, float]]) -> None:
        """Record each dev set's WER by CTC and by attention."""
        for name, (ctc, attention) in rates.items():
            logger.info("epoch %d %s: WER %.3f ctc, %.3f attention", epoch, name, ctc, attention)
        self._write(epoch=epoch, step=step, wer=rates)

    def _write(self, **values: object) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
