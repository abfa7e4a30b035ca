"""The run: speak the plan in parallel, in order, until the folder holds enough hours."""

import logging
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Event
from typing import NoReturn, TypeAlias, TypeVar

from tqdm import tqdm

from auricle.config import SAMPLE_RATE
from auricle.training.synthesis.corpus import SpeechFolder, SpokenRecording
from auricle.training.synthesis.engines import DEFAULT_ENGINES, speak, speakers_of
from auricle.training.synthesis.opus import encode_opus
from auricle.training.synthesis.plan import Plan, PlannedUtterance
from auricle.training.synthesis.programs import ProgramKilledError
from auricle.training.synthesis.sentences import Sentence
from auricle_types.errors import InvalidOptionError, SynthesisError, SynthesizerMissingError

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 20  # so many are no accident
ROUNDING = 1e-3  # seconds; durations are rounded to milliseconds, sums of them add float noise

Bar: TypeAlias = "tqdm[NoReturn]"

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def usable_cpus() -> int:
    """The CPUs that this process may run on, where the system says, else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class SynthesisConfig:
    """How much speech, by whom. `shard_hours` is what a killed run loses at most."""

    hours: float
    seed: int = 0
    workers: int = field(default_factory=usable_cpus)
    engines: tuple[str, ...] = DEFAULT_ENGINES
    shard_hours: float = 1.0

    def __post_init__(self) -> None:
        for name in ("hours", "workers", "shard_hours"):
            if not 0 < getattr(self, name) < math.inf:
                raise InvalidOptionError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.seed < 0:
            raise InvalidOptionError(f"seed must not be negative, but is {self.seed}")


@dataclass(frozen=True, slots=True)
class SynthesisSummary:
    """What the folder holds now, and the sentences of this run that no engine could say."""

    seconds: float
    utterances: int
    shards: int
    skipped: int


def synthesize(
    sentences: Sequence[Sentence],
    output: Path,
    config: SynthesisConfig,
    *,
    progress: bool = True,
    stop: Event | None = None,
) -> SynthesisSummary:
    """Fills `output` with speech up to `config.hours`; what is there already stays and counts.

    Another thread may `stop` it, as Ctrl-C would: finished shards stay.

    Raises:
        SynthesizerMissingError: an engine is not installed.
        SynthesisError: an engine fails again and again or is killed, or it was stopped.
        StorageError: the disk is full, or what else keeps it from writing.
        InvalidOptionError: `output` holds other speech.
        ManifestError: its manifest is damaged.
    """
    plan = Plan(sentences, speakers_of(config.engines), config.seed)
    folder = SpeechFolder(output, plan.identity())
    skipped: list[SynthesisError] = []
    with (
        _progress(folder, config, shown=progress) as bar,
        ThreadPoolExecutor(config.workers) as pool,
        closing(map_in_order(pool, _attempt, plan.utterances(folder.next_index))) as outcomes,
    ):
        recordings = _recordings(_until(stop, outcomes), skipped)
        while (missing := 3600 * config.hours - folder.seconds) > ROUNDING:
            folder.add_shard(_take(recordings, min(missing, 3600 * config.shard_hours), bar))
    return SynthesisSummary(folder.seconds, len(folder.entries), len(folder.shards), len(skipped))


def map_in_order(
    pool: Executor, function: Callable[[_Job], _Result], jobs: Iterable[_Job], ahead: int = 64
) -> Generator[_Result, None, None]:
    """`map(function, jobs)` in parallel: results in the order of `jobs`, which may be endless.

    At most `ahead` jobs are under way; closing the generator cancels those that have not begun.
    """
    waiting = iter(jobs)
    pending = deque(pool.submit(function, job) for job in islice(waiting, ahead))
    try:
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(function, job) for job in islice(waiting, 1))
    finally:
        for future in pending:
            future.cancel()


def _attempt(utterance: PlannedUtterance) -> SpokenRecording | SynthesisError:
    """Speaks one utterance; an error is a result too, for the next one may go well."""
    voice, sentence = utterance.voice, utterance.sentence
    try:
        samples = speak(sentence.spoken, voice)
    except (SynthesizerMissingError, ProgramKilledError):
        raise
    except SynthesisError as error:
        return error
    return SpokenRecording(
        index=utterance.index,
        opus=encode_opus(samples),
        duration=round(len(samples) / SAMPLE_RATE, 3),
        text=sentence.text,
        speaker=voice.speaker,
        corpus=voice.engine,
    )


def _recordings(
    outcomes: Iterable[SpokenRecording | SynthesisError], skipped: list[SynthesisError]
) -> Iterator[SpokenRecording]:
    """The recordings among `outcomes`; the errors are logged and go to `skipped`."""
    in_a_row = 0
    for outcome in outcomes:
        if isinstance(outcome, SpokenRecording):
            in_a_row = 0
            yield outcome
            continue
        in_a_row += 1
        if in_a_row == FAILURES_IN_A_ROW:
            raise SynthesisError(f"{in_a_row} failures in a row, the last: {outcome}") from outcome
        logger.warning("skipped: %s", outcome)
        skipped.append(outcome)


def _until(stop: Event | None, outcomes: Iterable[_Result]) -> Iterator[_Result]:
    for outcome in outcomes:
        if stop is not None and stop.is_set():
            raise SynthesisError("stopped before there was enough")
        yield outcome


def _take(
    recordings: Iterator[SpokenRecording], seconds: float, bar: Bar
) -> Iterator[SpokenRecording]:
    """The next recordings, until they last `seconds` or a little more."""
    while seconds > 0:
        recording = next(recordings)
        seconds -= recording.duration
        bar.update(recording.duration)
        yield recording


def _progress(folder: SpeechFolder, config: SynthesisConfig, *, shown: bool) -> Bar:
    """A bar of seconds of speech, on terminals only."""
    return tqdm(
        desc="synthesize",
        total=round(3600 * config.hours),
        initial=round(folder.seconds),
        unit="s",
        disable=None if shown else True,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total} s [{elapsed}<{remaining}]",
    )
