"""Between the command line's outcomes and the evaluation's hypotheses."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from auricle.evaluation import Hypothesis
from auricle_cli.answers import Transcriber
from auricle_cli.display import progress
from auricle_cli.inputs import Source
from auricle_cli.outcomes import Outcome, outcomes


def hypothesis(outcome: Outcome) -> Hypothesis:
    """What an evaluation needs of an outcome."""
    if outcome.transcript is None:
        return Hypothesis(error=outcome.error or "failed")
    return Hypothesis(outcome.transcript.text, outcome.transcript.duration)


def recognizing(
    transcriber: Transcriber, concurrency: int
) -> Callable[[Sequence[Path]], Iterator[Hypothesis]]:
    """Paths in, hypotheses out, in order: what an evaluation asks for."""

    def recognize(paths: Sequence[Path]) -> Iterator[Hypothesis]:
        sources = [Source(str(path)) for path in paths]
        answers = outcomes(transcriber.transcribe, sources, concurrency)
        return map(hypothesis, progress(answers, len(sources)))

    return recognize
