import threading
from collections.abc import Generator, Iterator
from typing import cast

import pytest

from auricle_cli.answers import TranscriptionError
from auricle_cli.inputs import Source
from auricle_cli.outcomes import attempt, exit_status, outcomes
from auricle_types.transcript import Transcript

SOURCES = [Source(str(number)) for number in range(20)]


def spell(source: Source) -> Transcript:
    return cast("Transcript", source.name)


def test_order_whatever_finishes_first() -> None:
    first_may_end = threading.Event()

    def transcribe(source: Source) -> Transcript:
        if source.name == "0":
            assert first_may_end.wait(10)
        else:
            first_may_end.set()
        return spell(source)

    names = [outcome.source.name for outcome in outcomes(transcribe, SOURCES, concurrency=3)]
    assert names == [source.name for source in SOURCES]


def test_those_that_finish_first_come_first_where_order_does_not_matter() -> None:
    first_may_end = threading.Event()

    def transcribe(source: Source) -> Transcript:
        if source.name == "0":
            assert first_may_end.wait(10)
        return spell(source)

    answers = outcomes(transcribe, SOURCES, concurrency=2, in_order=False)
    before = [next(answers).source.name for _ in range(19)]  # one long input holds up no other
    assert sorted(before, key=int) == [source.name for source in SOURCES[1:]]
    first_may_end.set()
    assert [outcome.source.name for outcome in answers] == ["0"]


def test_no_more_than_concurrency_are_taken() -> None:
    taken: list[str] = []

    def sources() -> Iterator[Source]:
        for source in SOURCES:
            taken.append(source.name)
            yield source

    answers = outcomes(spell, sources(), concurrency=4)
    next(answers)
    assert len(taken) == 5  # four at first, and one for the one that is done
    assert len(list(answers)) == 19


def test_several_are_under_way_at_once() -> None:
    together = threading.Barrier(3, timeout=10)

    def transcribe(source: Source) -> Transcript:
        together.wait()
        return spell(source)

    assert len(list(outcomes(transcribe, SOURCES[:3], concurrency=3))) == 3


def test_a_failure_is_an_outcome_and_the_rest_goes_on() -> None:
    def transcribe(source: Source) -> Transcript:
        if source.name == "1":
            raise TranscriptionError("no")
        return spell(source)

    answers = list(outcomes(transcribe, SOURCES[:3], concurrency=1))
    assert [answer.error for answer in answers] == [None, "no", None]
    assert answers[1].transcript is None


def test_a_bug_is_no_outcome() -> None:
    def transcribe(source: Source) -> Transcript:
        raise KeyError(source.name)

    with pytest.raises(KeyError):
        attempt(transcribe, SOURCES[0])
    with pytest.raises(KeyError):
        list(outcomes(transcribe, SOURCES, concurrency=2))


def test_who_leaves_early_does_not_wait_for_the_others() -> None:
    closed, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def transcribe(source: Source) -> Transcript:
        if source.name != "0":
            begun.set()
            assert closed.wait(10)
            done.append(source.name)
        return spell(source)

    answers = outcomes(transcribe, SOURCES, concurrency=2)
    next(answers)
    assert begun.wait(10)
    cast("Generator[object]", answers).close()
    assert done == []
    closed.set()  # as closing the connection would


@pytest.mark.parametrize(("failed", "total", "status"), [(0, 3, 0), (1, 3, 1), (3, 3, 2)])
def test_exit_status(failed: int, total: int, status: int) -> None:
    assert exit_status(failed, total) == status
