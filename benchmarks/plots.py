"""Curves as pictures for the documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = Sequence[Mapping[str, float]]
WORDS = {
    "audio_seconds": "seconds of audio",
    "utterances": "utterances at once",
    "requests": "requests answered",
    "seconds": "seconds",
    "peak_mib": "peak memory, MiB",
    "resident_mib": "resident memory, MiB",
}


def plot(curves: Mapping[str, Points], folder: Path) -> list[Path]:
    """A picture `growth-NAME.png` for each curve: its first value across, a panel for each other.

    Without matplotlib it says so and draws nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, points in curves.items():
        across, *up = points[0]
        figure = _figure(4.5 * len(up), 3.2)
        if figure is None:
            return []
        for panel, key in zip(figure.subplots(1, len(up), squeeze=False)[0], up, strict=True):
            panel.plot([p[across] for p in points], [p[key] for p in points], marker=".")
            panel.set(xlabel=WORDS[across], ylabel=WORDS[key])
            panel.set_ylim(bottom=0)
            panel.grid(alpha=0.3)
        paths.append(folder / f"growth-{name}.png")
        figure.savefig(paths[-1], dpi=110, metadata={"Software": ""})
    return paths


def plot_reliability(figures: Mapping[str, Any], path: Path) -> None:
    """Share of right words against confidence, before and after; as large as there are words."""
    figure = _figure(4.2, 4.0)
    if figure is None:
        return
    panel = figure.subplots()
    panel.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for name in ("before", "after"):
        found = figures[name]["bins"]
        words = sum(each["words"] for each in found)
        panel.scatter(
            [each["confidence"] for each in found],
            [each["right"] for each in found],
            [20 + 400 * each["words"] / words for each in found],
            alpha=0.6,
            label=f"{name}: ECE {figures[name]['ece']:.1%}",
        )
    panel.set(xlabel="confidence", ylabel="share of words that are right", xlim=(0, 1), ylim=(0, 1))
    panel.grid(alpha=0.3)
    panel.legend(markerscale=0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": ""})


def _figure(width: float, height: float) -> "Figure | None":
    """An empty one, in inches; None without matplotlib, which is said."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        print(f"no plots: {missing}; pip install 'auricle[bench]'")
        return None
    return Figure(figsize=(width, height), layout="constrained")
