"""The figures of `benchmarks.calibration` as tables, for the eye and for docs/accuracy.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.results import table

Figures = Mapping[str, Any]


def tables(figures: Figures) -> Iterator[str]:
    """The parameters, the error, the bins after calibration."""
    calibration = figures["calibration"]
    fitted, judged = (_size(figures[key]) for key in ("fitted_on", "judged_on"))
    yield (
        f"Slope {calibration['slope']:g}, offset {calibration['offset']:g}, fitted on {fitted}; "
        f"judged on {judged}. Weights {figures['model']['sha256']}..."
    )
    rows = [(f"{name} calibration", f"{figures[name]['ece']:.1%}") for name in ("before", "after")]
    yield table(("Expected calibration error", "of words"), rows)
    found = [
        (each["words"], f"{each['confidence']:.1%}", f"{each['right']:.1%}")
        for each in figures["after"]["bins"]
    ]
    yield table(("Words", "Confidence, mean", "Right"), found)


def _size(part: Mapping[str, int]) -> str:
    return f"{part['utterances']} utterances ({part['words']} words read)"
