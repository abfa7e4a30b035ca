"""The run's diary: one JSON line a hundred steps and one an epoch, in `journal.jsonl`."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auricle.storage import writing
from auricle.training.events import Events
from auricle.training.loss import Losses

logger = logging.getLogger(__name__)
JOURNAL = "journal.jsonl"
EVERY = 100  # steps

Rates = tuple[float | None, float]  # WER by CTC, if there is such a head, and by attention


class Journal:
    """Appends to `journal.jsonl` in the run's folder, and tells `events` the same."""

    def __init__(self, folder: Path, events: Events | None = None) -> None:
        self._path = folder / JOURNAL
        self._events = events

    def step(self, step: int, losses: Losses, norm: float, learning_rate: float) -> None:
        """Record a step's losses, gradient norm and learning rate, one step in `EVERY`."""
        if step % EVERY == 0:
            self._write(step=step, **losses.heads, norm=norm, lr=learning_rate)

    def epoch(self, epoch: int, step: int, rates: Mapping[str, Rates]) -> None:
        """Record each dev set's WER by CTC, if there is such a head, and by attention."""
        for name, (ctc, attention) in rates.items():
            ctc_text = "" if ctc is None else f"{ctc:.3f} ctc, "
            logger.info("epoch %d %s: WER %s%.3f attention", epoch, name, ctc_text, attention)
        self._write(epoch=epoch, step=step, wer=rates)

    def _write(self, **values: Any) -> None:  # noqa: ANN401
        with writing(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
        if self._events is not None:
            self._events.add(values)


def read_journal(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of the run in `folder`; one that a power cut left unfinished is passed over."""
    path = folder / JOURNAL
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            logger.warning("%s: a line is damaged", path)
