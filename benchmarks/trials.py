"""What a change to a recipe does: python -m benchmarks.trials recipes/trial.toml MANIFEST...

Trains the recipe once for each variant (`benchmarks.variants`), from the same seed and for as many
steps, and reads the manifests with the last averaged weights, greedily and without a language
model. A trial that was stopped goes on where it was; one that the result holds already is not made
again. Times are a core's, so that other work on the machine matters little.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from auricle.recognizer import Recognizer
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.journal import read_journal
from auricle.training.trainer import Trainer
from auricle_types.errors import AuricleError
from benchmarks.command import benchmark_options, use_threads
from benchmarks.corpora import Corpus
from benchmarks.results import RESULTS, Result
from benchmarks.scores import Counts, score_of
from benchmarks.trial_tables import tables
from benchmarks.variants import Variant, variants

PACKAGES = ("torch", "numpy", "jiwer")
QUICK_STEPS, QUICK_UTTERANCES = 4, 2
LAST = 10  # of the journal's losses, whose mean is reported

T = TypeVar("T")


@click.command(help=__doc__)
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--only", multiple=True, help="The names of the trials to make; all by default.")
@click.option(
    "--synthetic", multiple=True, type=click.Path(path_type=Path), help="More to train on, in one."
)
@benchmark_options
def main(
    recipe: Path,
    manifests: Sequence[Path],
    only: Sequence[str],
    synthetic: Sequence[Path],
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Make the trials, print the table, write the result after each."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    use_threads(threads)
    result = Result("trials", quick, threads, PACKAGES)
    config = _short(load_training_config(recipe)) if quick else load_training_config(recipe)
    corpora = [Corpus.load(path, QUICK_UTTERANCES if quick else None) for path in manifests]
    rows = {} if quick else _made(output or RESULTS / "trials.json")
    for variant in variants(synthetic):
        if variant.name not in rows and (not only or variant.name in only):
            rows[variant.name] = _trial(config, variant, corpora)
            result.write({"recipe": recipe.name, "trials": rows}, output)
    print("\n\n".join(tables({"trials": rows})))


def trial(base: TrainingConfig, variant: Variant, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Train it, read with it."""
    config = replace(variant.change(base), output=base.output / variant.name.replace(" ", "-"))
    trainer = Trainer(config)
    steps = config.optimizer.last_step - trainer.state.step
    _, seconds = timed(trainer.run)
    model = trainer.state.model
    return {
        "expected": variant.expected,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "steps": trainer.state.step,
        "seconds_a_step": round(seconds / steps, 4) if steps else None,
        "losses": losses(config.output),
        **read(config.output / "last.safetensors", corpora),
    }


def losses(folder: Path) -> dict[str, float]:
    """Means of those that the journal holds of the end of training."""
    rows = [row for row in read_journal(folder) if "ctc" in row][-LAST:]
    return {
        name: round(sum(row[name] for row in rows) / max(len(rows), 1), 3)
        for name in ("ctc", "attention")
    }


def read(model: Path, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Scores of each corpus and of all together, and the speed of reading them."""
    with Recognizer.from_pretrained(model) as recognizer:
        answers, seconds = timed(
            lambda: [recognizer.transcribe(list(corpus.waveforms)) for corpus in corpora]
        )
    counts = {
        corpus.name: [
            Counts.of(text, answer.text) for text, answer in zip(corpus.texts, found, strict=True)
        ]
        for corpus, found in zip(corpora, answers, strict=True)
    }
    everything = [each for found in counts.values() for each in found]
    return {
        "audio_seconds_per_core_second": round(sum(sum(c.seconds) for c in corpora) / seconds, 1),
        "all": score_of(everything).to_dict(),
        "scores": {name: score_of(found).to_dict() for name, found in counts.items()},
    }


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and the seconds that cores spent on it."""
    started = time.process_time()
    return work(), time.process_time() - started


def _trial(config: TrainingConfig, variant: Variant, corpora: Sequence[Corpus]) -> dict[str, Any]:
    try:
        return trial(config, variant, corpora)
    except AuricleError as error:  # interrupted, among others
        raise click.ClickException(f"{variant.name}: {error}") from error


def _short(config: TrainingConfig) -> TrainingConfig:
    return replace(config, optimizer=replace(config.optimizer, last_step=QUICK_STEPS))


def _made(path: Path) -> dict[str, Any]:
    """The trials that an earlier result holds."""
    if not path.exists():
        return {}
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dict(found["trials"])


if __name__ == "__main__":
    main()
