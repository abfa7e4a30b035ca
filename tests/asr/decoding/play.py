"""Utterances that come and go while others are decoded: a helper for tests, no tests."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from torch import Tensor

from auricle.config import DecodingOptions
from auricle.decoding import ContinuousDecoder, Decoding, new_search
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder


@dataclass(frozen=True)
class Part:
    """What one utterance does."""

    speech: int  # which one it is
    wait: int = 0  # steps between the one before it and it
    options: DecodingOptions = DecodingOptions()
    stay: int | None = None  # steps after which it is cancelled


def parts(speeches: int) -> st.SearchStrategy[list[Part]]:
    """Any number of utterances of each kind, joining and leaving at any step."""
    options = st.builds(
        DecodingOptions,
        beam_size=st.sampled_from([1, 1, 2, 3, 5]),
        max_tokens=st.sampled_from([None, None, 1, 4]),
    )
    stay = st.sampled_from([None, None, None, 0, 1, 3])
    part = st.builds(
        Part, st.integers(0, speeches - 1), st.sampled_from([0, 0, 1, 4]), options, stay
    )
    return st.lists(part, min_size=1, max_size=12)


class Stage:
    """Plays parts in order, each as soon as its wait is over and there are slots."""

    def __init__(
        self, decoder: Decoder, speeches: Sequence[Tensor], *, slots: int = 8, max_frames: int = 64
    ) -> None:
        self.continuous = ContinuousDecoder(decoder, slots=slots, max_frames=max_frames)
        self.speeches = speeches
        self.slots = slots
        self.running: dict[Decoding, tuple[int, Part, int]] = {}  # number, part, steps taken
        self.answers: dict[int, Hypothesis | None] = {}  # None: cancelled or failed

    def play(self, script: Sequence[Part]) -> dict[int, Hypothesis | None]:
        """What each has said in the end; no slot may be lost on the way."""
        waiting = deque(enumerate(script))
        since = 0
        while waiting or self.running:
            while waiting and self._may_join(waiting[0][1], since):
                self._join(*waiting.popleft())
                since = 0
            self._step()
            since += 1
            self.assert_no_slot_is_lost()
        assert self.continuous.free_slots == self.slots
        return self.answers

    def alone(self, part: Part) -> Hypothesis | None:
        """What it says with nobody beside it."""
        return Stage(self.continuous._decoder, self.speeches, slots=part.options.beam_size).play(
            [Part(part.speech, options=part.options)]
        )[0]

    def assert_no_slot_is_lost(self) -> None:
        held = [slot for decoding in self.running for slot in decoding.slots]
        assert sorted([*held, *self.continuous._free]) == list(range(self.slots))
        assert len(held) == sum(part.options.beam_size for _, part, _ in self.running.values())
        is_open = self.continuous._cache.is_open
        assert [slot for slot, open_ in enumerate(is_open) if open_] == sorted(held)

    def _may_join(self, part: Part, since: int) -> bool:
        if self.running and since < part.wait:
            return False
        return part.options.beam_size <= self.continuous.free_slots

    def _join(self, number: int, part: Part) -> None:
        encoder_out = self.speeches[part.speech]
        search = new_search(part.options, len(encoder_out))
        self.running[self.continuous.join(encoder_out, search)] = number, part, 0

    def _step(self) -> None:
        done = self.continuous.step()
        for decoding, (number, part, steps) in list(self.running.items()):
            self.running[decoding] = number, part, steps + 1
            if decoding in done or steps == part.stay:
                self._leave(decoding, finished=decoding in done)

    def _leave(self, decoding: Decoding, *, finished: bool) -> None:
        self.continuous.leave(decoding)
        number, _, _ = self.running.pop(decoding)
        heard = finished and decoding.error is None
        self.answers[number] = decoding.search.best() if heard else None
