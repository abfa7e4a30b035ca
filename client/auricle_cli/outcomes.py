"""Many sources through one transcriber: several at once, answers in order or as they come."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice

from auricle_cli.answers import TranscriptionError
from auricle_cli.inputs import Source
from auricle_types.transcript import Transcript

Transcribe = Callable[[Source], Transcript]


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """A source's transcript, or the reason why there is none."""

    source: Source
    transcript: Transcript | None = None
    error: str | None = None


def attempt(transcribe: Transcribe, source: Source) -> SourceOutcome:
    """One source; its failure is an outcome, too."""
    try:
        return SourceOutcome(source, transcribe(source))
    except TranscriptionError as error:
        return SourceOutcome(source, error=str(error))


def outcomes(
    transcribe: Transcribe,
    sources: Iterable[Source],
    concurrency: int,
    *,
    in_order: bool = True,
) -> Iterator[SourceOutcome]:
    """An outcome for each source, at most `concurrency` of them under way.

    They come in the order of the sources, or else as soon as each is there.
    That many threads wait, mostly: it is the engine behind `transcribe` that makes batches.
    """
    waiting = iter(sources)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="transcribe")
    try:
        pending: deque[Future[SourceOutcome]] = deque(
            pool.submit(attempt, transcribe, source) for source in islice(waiting, concurrency)
        )
        while pending:
            ended = {pending[0]} if in_order else wait(pending, None, FIRST_COMPLETED).done
            future = next(each for each in pending if each in ended)
            outcome = future.result()
            pending.remove(future)
            pending.extend(pool.submit(attempt, transcribe, s) for s in islice(waiting, 1))
            yield outcome
    finally:  # on Ctrl-C: what has begun ends when its transcriber is closed
        pool.shutdown(wait=False, cancel_futures=True)


def exit_status(failed: int, total: int) -> int:
    """0 when none failed, 1 when some did, 2 when all did."""
    if not failed:
        return 0
    return 1 if failed < total else 2
