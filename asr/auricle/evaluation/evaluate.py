"""An evaluation: recognise every utterance of a manifest, score the words, time the whole."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from auricle.evaluation.manifest import Utterance
from auricle.evaluation.normalize import normalize
from auricle.evaluation.report import Report, ScoredUtterance
from auricle.evaluation.wer import char_errors, word_errors


@dataclass(frozen=True, slots=True)
class RecognizedText:
    """What was recognised in `duration` seconds of audio, or why nothing was."""

    text: str = ""
    duration: float = 0.0
    error: str | None = None


def evaluate(
    utterances: Sequence[Utterance],
    recognize: Callable[[Sequence[Utterance]], Iterable[RecognizedText]],
    normalizer: Callable[[str], str] = normalize,
) -> Report:
    """Recognise all utterances with `recognize`, which answers in the order of its input.

    RTFx is the audio of the answered utterances over the time until the last answer came,
    reading the files included. Raises ValueError when answers are missing.
    """
    start = time.perf_counter()
    hypotheses = list(recognize(utterances))
    return score(utterances, hypotheses, time.perf_counter() - start, normalizer)


def score(
    utterances: Sequence[Utterance],
    hypotheses: Sequence[RecognizedText],
    wall_seconds: float,
    normalizer: Callable[[str], str] = normalize,
) -> Report:
    """The report on answers that are already there. Raises ValueError when some are missing."""
    scored = tuple(
        _score(utterance, hypothesis, normalizer)
        for utterance, hypothesis in zip(utterances, hypotheses, strict=True)
    )
    return Report(scored, sum(each.duration for each in hypotheses), wall_seconds)


def _score(
    utterance: Utterance, answer: RecognizedText, normalizer: Callable[[str], str]
) -> ScoredUtterance:
    reference, hypothesis = normalizer(utterance.text), normalizer(answer.text)
    return ScoredUtterance(
        audio=str(utterance.audio),
        reference=reference,
        hypothesis=hypothesis,
        words=word_errors(reference, hypothesis),
        chars=char_errors(reference, hypothesis),
        error=answer.error,
    )
