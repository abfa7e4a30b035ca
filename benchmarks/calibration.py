"""How far a model's confidences can be believed: python -m benchmarks.calibration MANIFEST...

Of each manifest's utterances one half, drawn by the names of their files, fits the two parameters
of the model's calibration; what is reported comes from the other half: the expected calibration
error over words, before and after. `--write CHECKPOINT` puts the parameters into a checkpoint.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from auricle.checkpoint import load_checkpoint, save_calibration
from auricle.config import Calibration
from auricle.evaluation import normalize, word_errors
from auricle.naming import BUNDLED, model_path
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from benchmarks.accuracy import weights
from benchmarks.calibration_tables import tables
from benchmarks.command import benchmark_options, use_threads
from benchmarks.corpora import Corpus
from benchmarks.plots import plot_reliability
from benchmarks.reliability import Judged, bins, calibrated, expected_error, fitted
from benchmarks.report import DOCS, RELIABILITY
from benchmarks.results import Result

QUICK_UTTERANCES = 8
PACKAGES = ("torch", "numpy", "scipy", "jiwer")


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default=BUNDLED, help="A name, or a checkpoint's path.")
@click.option(
    "--write",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The checkpoint that gets the parameters.",
)
@click.option(
    "--beam", type=click.IntRange(1), default=1, show_default=True, help="Width of the search."
)
@benchmark_options
def main(
    manifests: Sequence[Path],
    model: str,
    write: Path | None,
    beam: int,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Fit, judge, print the tables, write the result."""
    use_threads(threads)
    result = Result("calibration", quick, threads, PACKAGES)
    corpora = [Corpus.load(path, QUICK_UTTERANCES if quick else None) for path in manifests]
    halves = judged(model, corpora, DecodingOptions(beam_size=beam))
    calibration = fitted(halves[0])
    found = figures(model, calibration, halves)
    print("\n\n".join(tables(found)))
    result.write({"beam": beam, **found}, output)
    if output is None and not quick:
        plot_reliability(found, DOCS / "images" / RELIABILITY)
    if write:
        save_calibration(write, calibration)
        print(f"\n{write}: slope {calibration.slope}, offset {calibration.offset}")


def judged(
    model: str, corpora: Sequence[Corpus], options: DecodingOptions
) -> tuple[list[Judged], list[Judged]]:
    """All answers that have words, in the two halves, by what they were before calibration."""
    checkpoint = load_checkpoint(model_path(model))
    plain = replace(checkpoint.model.config, calibration=Calibration())
    checkpoint.model.config = plain
    halves: tuple[list[Judged], list[Judged]] = ([], [])
    with Recognizer.from_checkpoint(checkpoint) as recognizer:
        for corpus in corpora:
            answers = recognizer.transcribe(list(corpus.waveforms), options=options)
            for file, text, answer in zip(corpus.files, corpus.texts, answers, strict=True):
                found = normalize(answer.text)
                right, words = word_errors(normalize(text), found).hits, len(found.split())
                halves[half(file)].append(Judged(answer.confidence, words, right))
    return halves


def half(file: str) -> int:
    """0 or 1, for ever the same."""
    return sha256(file.encode()).digest()[0] % 2


def figures(
    model: str, calibration: Calibration, halves: tuple[list[Judged], list[Judged]]
) -> dict[str, Any]:
    """What is found on the second half with parameters from the first."""
    fit, held_out = halves
    after = calibrated(held_out, calibration)
    return {
        "model": weights(model),
        "calibration": asdict(calibration),
        "fitted_on": {"utterances": len(fit), "words": sum(each.words for each in fit)},
        "judged_on": {"utterances": len(after), "words": sum(each.words for each in after)},
        **{
            name: {
                "ece": expected_error(answers),
                "bins": [asdict(each) for each in bins(answers)],
            }
            for name, answers in {"before": held_out, "after": after}.items()
        },
    }


if __name__ == "__main__":
    main()
