"""Between the command line's outcomes and the evaluation's hypotheses."""

from collections.abc import Callable, Iterator, Sequence

from auricle.evaluation import RecognizedText, Utterance
from auricle_cli.answers import Transcriber
from auricle_cli.display import progress
from auricle_cli.inputs import Source
from auricle_cli.outcomes import SourceOutcome, outcomes


def hypothesis(outcome: SourceOutcome) -> RecognizedText:
    """What an evaluation needs of an outcome."""
    if outcome.transcript is None:
        return RecognizedText(error=outcome.error or "failed")
    return RecognizedText(outcome.transcript.text, outcome.transcript.duration)


def source_of(utterance: Utterance) -> Source:
    """The recording, or the part of it, that an utterance is."""
    name = str(utterance.audio)
    if utterance.offset is None:
        return Source(name)
    return Source(name, (utterance.offset, utterance.duration))


def recognizing(
    transcriber: Transcriber, concurrency: int
) -> Callable[[Sequence[Utterance]], Iterator[RecognizedText]]:
    """Utterances in, hypotheses out, in order: what an evaluation asks for."""

    def recognize(utterances: Sequence[Utterance]) -> Iterator[RecognizedText]:
        sources = [source_of(utterance) for utterance in utterances]
        answers = outcomes(transcriber.transcribe, sources, concurrency)
        return map(hypothesis, progress(answers, len(sources)))

    return recognize
