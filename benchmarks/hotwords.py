"""How well hotwords are recognised: python -m benchmarks.hotwords [MANIFEST]... --known MANIFEST.

The hotwords are the words of the manifests that are rare: none stands in the --known manifest of
training, each has at least five letters, and stands in two utterances at most. They are chosen by
that alone, whether the model knows them or not. All are given with every request, so each utterance
has the words of all others as distractors.

Every second utterance is for the choice of the weight, in greedy search: it is the one that finds
the most hotwords while the word error rate of utterances without one rises by at most 0.2 points.
The other utterances are for the result, with that weight.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from tqdm import tqdm

from auricle.evaluation import ErrorCounts, normalize, read_manifest, word_errors
from auricle.naming import BUNDLED
from auricle.recognizer import Recognizer
from auricle_types.hotwords import Hotword
from auricle_types.options import DecodingOptions
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import Samples
from benchmarks.corpora import Corpus
from benchmarks.recordings import SAMPLES
from benchmarks.results import Result, table

SAMPLES_MANIFEST = SAMPLES / "manifest.jsonl"
LETTERS = 5  # of the shortest hotword
MOST_UTTERANCES = 2  # that have it
MOST_LOST = 0.002  # of the word error rate without hotwords
QUICK_UTTERANCES = 2
QUICK_WEIGHTS = (1.0,)


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance, and what was said, normalised."""

    samples: Samples
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a search found."""

    beam_size: int
    weight: float | None  # None: no hotwords
    utterances: int
    hotwords: int  # that were said
    found: int  # of those
    invented: int  # hotwords that were not said
    wer_without: float  # of utterances where none was said
    wer_with: float  # of the others


def rare_words(texts: Sequence[str], known: Counter[str]) -> list[str]:
    """List the words that are long enough, unknown, and in few of the texts."""
    utterances = Counter(word for text in texts for word in set(text.split()))
    return sorted(
        word
        for word, count in utterances.items()
        if len(word) >= LETTERS and count <= MOST_UTTERANCES and not known[word]
    )


def score(
    speech: Sequence[Speech], texts: Sequence[str], words: frozenset[str], options: DecodingOptions
) -> Score:
    """Compare recognised texts, normalised, with what was said."""
    said = found = invented = 0
    errors = {True: ErrorCounts(), False: ErrorCounts()}
    for each, text in zip(speech, texts, strict=True):
        expected, got = (
            Counter(word for word in words_of.split() if word in words)
            for words_of in (each.text, text)
        )
        said, found = said + expected.total(), found + (expected & got).total()
        invented += (got - expected).total()
        errors[bool(expected)] += word_errors(each.text, text)
    weight = options.phrases[0].weight if options.hotwords else None
    rates = (round(errors[has].rate, 5) for has in (False, True))
    return Score(options.beam_size, weight, len(speech), said, found, invented, *rates)


def best(scores: Sequence[Score]) -> Score:
    """Choose among scores with weights; the first one is without hotwords."""
    plain, *weighted = scores
    harmless = [each for each in weighted if each.wer_without - plain.wer_without <= MOST_LOST]
    return max(harmless or weighted[:1], key=lambda each: each.found)


@dataclass(frozen=True, slots=True)
class Trial:
    """A model, and the hotwords to give it."""

    recognizer: Recognizer
    words: Sequence[str]

    def scores(
        self, speech: Sequence[Speech], beam_size: int, weights: Sequence[float]
    ) -> Iterator[Score]:
        """Recognise without hotwords, then with each weight."""
        for weight in tqdm((None, *weights), f"beam {beam_size}", disable=None):
            hotwords = () if weight is None else tuple(Hotword(w, weight) for w in self.words)
            options = DecodingOptions(beam_size, hotwords=hotwords)
            waveforms = [each.samples for each in speech]
            transcripts = self.recognizer.transcribe(waveforms, options=options)
            texts = [normalize(each.text) for each in transcripts]
            found = score(speech, texts, frozenset(self.words), options)
            print(found, flush=True)
            yield found


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--known", type=click.Path(exists=True, path_type=Path), help="Training manifest.")
@click.option("--model", default=BUNDLED, help="A name, or a checkpoint's path.")
@click.option("--weight", "weights", type=float, multiple=True, default=(0.5, 1.0, 1.5, 2.0))
@click.option("--beam", "beams", type=int, multiple=True, default=(1, 4))
@benchmark_options
def main(
    manifests: Sequence[Path],
    known: Path | None,
    model: str,
    weights: Sequence[float],
    beams: Sequence[int],
    **options: object,
) -> None:
    """Choose a weight, try it on other utterances, print the table, write the result."""
    quick, threads, output = (options[name] for name in ("quick", "threads", "output"))
    use_threads(int(str(threads)))
    result = Result("hotwords", bool(quick), int(str(threads)), ("torch",))
    speech = _speech(manifests or [SAMPLES_MANIFEST], QUICK_UTTERANCES if quick else None)
    words = rare_words([each.text for each in speech], _known(known))
    with Recognizer.from_pretrained(model) as recognizer:
        trial = Trial(recognizer, words)
        tuned = list(trial.scores(speech[::2], 1, QUICK_WEIGHTS if quick else weights))
        weight = best(tuned).weight or 0.0
        scores = [
            each
            for beam in ((1,) if quick else beams)
            for each in trial.scores(speech[1::2], beam, [weight])
        ]
    rows = [asdict(each) for each in (*tuned, *scores)]
    print(table(list(rows[0]), [list(row.values()) for row in rows]))
    found = {"listed": len(words), "weight": weight, "tuned": rows[: len(tuned)]}
    path = output if isinstance(output, Path) else None
    result.write({"model": model, **found, "scores": rows[len(tuned) :]}, path)


def _speech(manifests: Sequence[Path], limit: int | None) -> list[Speech]:
    corpora = [Corpus.load(each, limit) for each in manifests]
    return [
        Speech(samples, normalize(text))
        for corpus in corpora
        for samples, text in zip(corpus.waveforms, corpus.texts, strict=True)
    ]


def _known(manifest: Path | None) -> Counter[str]:
    utterances = read_manifest(manifest) if manifest is not None else ()
    return Counter(word for each in utterances for word in normalize(each.text).split())


if __name__ == "__main__":
    main()
