"""The journal's numbers as TensorBoard's event files, where tensorboard is installed."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auricle.storage import writing

logger = logging.getLogger(__name__)
FOLDER = "tensorboard"
_TAGS = {"ctc": "loss/ctc", "attention": "loss/attention", "norm": "gradient_norm", "lr": "rate"}


class Events:
    """Writes to `tensorboard/` in the run's folder, from the first line that it is told.

    A run that goes on begins another file there, before which TensorBoard forgets the steps that
    are repeated. Without tensorboard nothing is written, and the log says so once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._writer: Any = None
        self._missing = False

    def add(self, line: Mapping[str, Any]) -> None:
        """Take a line of the journal. Raises StorageError."""
        with writing(self._folder):
            if self._writer is None and not self._missing:
                self._open(line["step"])
            if self._writer is not None:
                for tag, value in scalars(line):
                    self._writer.add_scalar(tag, value, line["step"])
                self._writer.flush()

    def _open(self, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._missing = True
            logger.info("no TensorBoard files: they need `pip install 'auricle[train]'`")
        else:
            self._writer = SummaryWriter(self._folder, purge_step=step)


def scalars(line: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Tags and values of a line of the journal."""
    for name, tag in _TAGS.items():
        if name in line:
            yield tag, line[name]
    for dev, (ctc, attention) in line.get("wer", {}).items():
        if ctc is not None:
            yield f"wer_ctc/{dev}", ctc
        yield f"wer_attention/{dev}", attention
