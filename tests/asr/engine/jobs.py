"""Jobs for the real runner, and their answers: helpers for tests, no tests."""

from collections.abc import Mapping, Sequence

from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError
from auricle_types.options import DecodingOptions
from tests.asr.tiny import SECONDS, sounds
from tests.asr.voices import Samples

GREEDY = DecodingOptions()
MIXED = (
    DecodingOptions(max_tokens=16),
    DecodingOptions(beam_size=3, max_tokens=16),
    DecodingOptions(max_tokens=2, ctc_weight=0.0),
    DecodingOptions(beam_size=3, max_tokens=16, length_penalty=0.0, guards=False),
    DecodingOptions(beam_size=4, max_tokens=4, ctc_weight=1.0),
    DecodingOptions(max_tokens=16, temperature=0.8, seed=5),
)
Answer = Hypothesis | AuricleError


def jobs(
    options: Sequence[DecodingOptions] = (GREEDY,) * len(SECONDS),
    samples: Sequence[Samples] | None = None,
) -> list[Job]:
    """One for each of the sounds, or of other samples."""
    heard = sounds() if samples is None else samples
    return [Job(Request(s, o), 0.0) for s, o in zip(heard, options, strict=True)]


def finish(runner: ModelRunner, count: int) -> Mapping[Job, Answer]:
    """Step until so many have ended."""
    answers: dict[Job, Answer] = {}
    while len(answers) < count:
        answers.update(runner.step())
    return answers


def run(runner: ModelRunner, some: Sequence[Job]) -> list[Answer]:
    """Join all at once and decode to the last."""
    room = runner.room
    runner.join(some)
    assert runner.room.slots == room.slots - sum(job.request.slots for job in some)
    answers = finish(runner, len(some))
    assert runner.room == room
    return [answers[job] for job in some]


def alone(runner: ModelRunner, some: Sequence[Job]) -> list[Answer]:
    """One after the other."""
    return [run(runner, [job])[0] for job in some]


def tokens(hypotheses: Sequence[Answer]) -> list[tuple[int, ...]]:
    """Of those that have any."""
    return [h.tokens for h in hypotheses if isinstance(h, Hypothesis)]
