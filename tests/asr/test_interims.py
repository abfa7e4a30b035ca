"""Interim results in a session, with an engine that the test answers for."""

from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest

from auricle.agreement import Wording
from auricle.hypothesis import Hypothesis
from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle.session import Session, events
from auricle.transcript import Recognition
from auricle_types.errors import EngineStoppedError, QueueFullError
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    Interim,
    SpeechStarted,
    SpeechStopped,
)
from auricle_types.transcript import Receipt, Segment


def piece(end: float, *, start: float = 0.0, interim: bool = False, overlap: float = 0.0) -> Piece:
    samples = np.zeros(round((end - start) * 16_000), np.float32)
    return Piece(start, samples, overlap, interim=interim)


def draft(end: float, start: float = 0.0) -> Piece:
    return piece(end, start=start, interim=True)


class Speaker:
    """Gives items one by one, and answers each request with the words for its end."""

    duration, warnings, done = 9.0, (), False

    def __init__(self, items: list[Item], words: dict[float, str], *, held: int = 0) -> None:
        self.items, self.words, self.held = items, words, held
        self.asked: list[Piece] = []
        self.futures: list[Future[Recognition]] = []
        self.error: Exception | None = None  # of interim requests
        self.is_cut: bool = False
        self.promises: list[tuple[float, float]] = []

    def __iter__(self) -> Iterator[Item | None]:
        for item in self.items:
            yield item
            yield None

    def stop(self) -> None:
        pass

    def end_utterance(self) -> list[Item]:
        return []

    def keep_together(self, start: float, until: float) -> bool:
        self.promises.append((start, until))
        return not self.is_cut

    def submit(self, asked: Piece) -> Future[Recognition]:
        if asked.interim and self.error is not None:
            raise self.error
        self.asked.append(asked)
        future: Future[Recognition] = Future()
        self.futures.append(future)
        if len(self.futures) > self.held:
            self.answer(len(self.futures) - 1)
        return future

    def answer(self, number: int) -> None:
        asked = self.asked[number]
        text = self.words[asked.end]
        segment = Segment(asked.start, asked.end, text, 0.5)
        tokens = tuple(map(ord, text))
        found = Wording(text, Hypothesis(tokens, -1.0), tuple(range(1, len(text) + 1)))
        wording = found if asked.interim else None
        self.futures[number].set_result(
            Recognition((segment,), Receipt("m"), asked.overlap, wording=wording)
        )

    def events(self) -> Iterator[Event]:
        return events(Session(self, self.submit, model_id="m"))


def interims(happened: list[Event]) -> list[tuple[str, str]]:
    return [(e.text, e.stable_text) for e in happened if isinstance(e, Interim)]


WORDS = {1.0: "the cat", 2.0: "the cat sat", 3.0: "the cat sat down", 4.0: "the cat sat down."}


def test_the_words_of_two_drafts_are_stable_and_the_final_text_begins_with_them() -> None:
    speaker = Speaker([draft(1.0), draft(2.0), draft(3.0), piece(4.0)], WORDS)
    happened = list(speaker.events())
    assert interims(happened) == [
        ("the cat", ""),
        ("the cat sat", "the cat"),
        ("the cat sat down", "the cat sat"),
    ]
    prefixes = ["".join(map(chr, p.prefix.tokens)) if p.prefix else "" for p in speaker.asked]
    assert prefixes == ["", "", "the cat", "the cat sat"]
    assert speaker.promises == [(0.0, 1.0), (0.0, 2.0)]


def test_stability_grows_with_the_stable_share() -> None:
    happened = list(Speaker([draft(1.0), draft(2.0), piece(4.0)], WORDS).events())
    first, second = [event.stability for event in happened if isinstance(event, Interim)]
    assert 0 < first < second < 1


def test_nothing_becomes_stable_once_the_piece_is_cut() -> None:
    speaker = Speaker([draft(1.0), draft(2.0), piece(4.0)], WORDS)
    speaker.is_cut = True
    happened = list(speaker.events())
    assert [stable for _, stable in interims(happened)] == ["", ""]
    assert speaker.asked[-1].prefix is None


def test_one_request_at_a_time_and_of_those_that_wait_the_newest() -> None:
    speaker = Speaker([draft(1.0), draft(2.0), draft(3.0), piece(4.0)], WORDS, held=1)
    happening = speaker.events()
    happened = list(happening)  # the final request answers at once; the draft never is
    assert [asked.end for asked in speaker.asked] == [1.0, 4.0]
    assert interims(happened) == []
    assert speaker.futures[0].cancelled()


def test_the_drafts_of_a_piece_with_an_overlap_show_only_its_new_words() -> None:
    words = {4.0: "one two three", 6.0: "two three four", 7.0: "two three four five"}
    later = [
        Piece(3.0, np.zeros(48_000, np.float32), 1.0, interim=True),
        Piece(3.0, np.zeros(64_000, np.float32), 1.0),
    ]
    speaker = Speaker([piece(4.0), *later], words)
    happened = list(speaker.events())
    assert interims(happened) == [("four", "")]
    assert [e.segment.text for e in happened if isinstance(e, FinalSegment)] == [
        "one two three",
        "four five",
    ]


@pytest.mark.parametrize("error", [QueueFullError("full"), EngineStoppedError("stopped")])
def test_a_refused_draft_costs_nothing(error: Exception) -> None:
    speaker = Speaker([draft(1.0), draft(2.0), piece(4.0)], WORDS)
    speaker.error = error
    happened = list(speaker.events())
    assert interims(happened) == []
    assert [e.segment.text for e in happened if isinstance(e, FinalSegment)] == [WORDS[4.0]]


def test_a_failed_draft_costs_nothing() -> None:
    speaker = Speaker([draft(1.0), draft(2.0), piece(4.0)], WORDS, held=1)
    happening = speaker.events()
    session_events: list[Event] = []
    speaker.items.insert(1, SpeechStarted(0.0))
    session_events.append(next(happening))
    speaker.futures[0].set_exception(EngineStoppedError("stopped"))
    session_events += happening
    assert interims(session_events) == [(WORDS[2.0], "")]


def test_speech_events_come_at_once_and_the_end_of_an_utterance_after_its_words() -> None:
    items: list[Item] = [
        SpeechStarted(0.1),
        SpeechStopped(3.5),
        piece(4.0),
        EndOfUtterance(3.5),
    ]
    happened = list(Speaker(items, WORDS).events())
    assert [type(event).__name__ for event in happened] == [
        "SpeechStarted",
        "SpeechStopped",
        "FinalSegment",
        "EndOfUtterance",
        "FinalTranscript",
    ]


def test_no_interim_comes_behind_the_end_of_the_speech() -> None:
    items: list[Item] = [SpeechStarted(0.0), draft(1.0), SpeechStopped(0.9), draft(2.0)]
    speaker = Speaker([*items[:3], piece(4.0), EndOfUtterance(0.9)], WORDS, held=1)
    kinds = [type(event).__name__ for event in speaker.events()]
    assert kinds == [
        "SpeechStarted", "SpeechStopped", "FinalSegment", "EndOfUtterance", "FinalTranscript",
    ]  # fmt: skip
    assert speaker.futures[0].cancelled()


def test_a_full_queue_in_the_middle_is_asked_again() -> None:
    speaker = Speaker([piece(1.0), piece(2.0, start=1.0), piece(3.0, start=2.0)], WORDS)
    full = [QueueFullError("full", retry_after=0.01)] * 3

    def submit(asked: Piece) -> Future[Recognition]:
        if asked.start == 1.0 and full:
            raise full.pop()
        return speaker.submit(asked)

    happened = list(events(Session(speaker, submit, model_id="m")))
    texts = [event.segment.text for event in happened if isinstance(event, FinalSegment)]
    assert texts == [WORDS[1.0], WORDS[2.0], WORDS[3.0]]
    assert not full


def test_a_session_that_is_closed_drops_its_draft() -> None:
    speaker = Speaker([draft(1.0), SpeechStarted(0.0), draft(2.0)], WORDS, held=9)
    happening = speaker.events()
    next(happening)
    happening.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in speaker.futures] == [True]
