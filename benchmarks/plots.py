"""Curves as pictures for the documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path

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
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        print(f"no plots: {missing}; pip install 'auricle[bench]'")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, points in curves.items():
        across, *up = points[0]
        figure = Figure(figsize=(4.5 * len(up), 3.2), layout="constrained")
        for panel, key in zip(figure.subplots(1, len(up), squeeze=False)[0], up, strict=True):
            panel.plot([p[across] for p in points], [p[key] for p in points], marker=".")
            panel.set(xlabel=WORDS[across], ylabel=WORDS[key])
            panel.set_ylim(bottom=0)
            panel.grid(alpha=0.3)
        paths.append(folder / f"growth-{name}.png")
        figure.savefig(paths[-1], dpi=110, metadata={"Software": ""})
    return paths
