"""A run's journal as one picture, `curves.png`: losses, learning rate, WER on dev."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auricle.storage import replacing
from auricle.training.journal import read_journal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)
PICTURE = "curves.png"
Line = dict[str, Any]


def renew_curves(folder: Path) -> None:
    """Draw the run in `folder` anew; without matplotlib the log says what is missing.

    Raises StorageError.
    """
    try:
        figure = draw_curves(read_journal(folder))
    except ModuleNotFoundError:
        logger.info("no %s: it needs `pip install 'auricle[train]'`", PICTURE)
        return
    with replacing(folder / PICTURE) as partial:
        figure.savefig(partial, format="png")


def draw_curves(journal: Iterable[Line]) -> "Figure":
    """Three panels over the steps. Of what a run did twice, since it was killed, the last counts.

    Raises ModuleNotFoundError without matplotlib.
    """
    from matplotlib.figure import Figure

    lines = list(journal)
    steps = _last(lines, "attention")
    figure = Figure(figsize=(9, 9), layout="constrained")
    losses, rates, errors = figure.subplots(3, 1, sharex=True)
    for name in ("ctc", "attention"):
        of_head = _last(lines, name)
        losses.plot(_values(of_head, "step"), _values(of_head, name), label=name)
    rates.plot(_values(steps, "step"), _values(steps, "lr"))
    _draw_errors(errors, _last(lines, "wer"))
    for panel, title in ((losses, "loss a token"), (rates, "learning rate"), (errors, "WER")):
        panel.set_title(title, loc="left")
        panel.grid(alpha=0.3)
        if panel.get_legend_handles_labels()[0]:
            panel.legend()
    errors.set_xlabel("step")
    return figure


def _draw_errors(panel: "Axes", epochs: list[Line]) -> None:
    """A colour for each dev set, attention's line whole and CTC's in dashes."""
    names = dict.fromkeys(name for line in epochs for name in line["wer"])
    for number, name in enumerate(names):
        lines = [line for line in epochs if name in line["wer"]]
        for head, (kind, style) in enumerate((("ctc", "--"), ("attention", "-"))):
            rates = [line["wer"][name][head] for line in lines]
            steps, label = _values(lines, "step"), f"{name}, {kind}"
            if None in rates:
                continue  # it has no such head
            panel.plot(steps, rates, style, marker=".", color=f"C{number}", label=label)


def _last(lines: list[Line], name: str) -> list[Line]:
    """The lines that have `name`, the last one of each step, in order."""
    by_step = {line["step"]: line for line in lines if name in line}
    return [by_step[step] for step in sorted(by_step)]


def _values(lines: list[Line], name: str) -> list[float]:
    return [line[name] for line in lines]
