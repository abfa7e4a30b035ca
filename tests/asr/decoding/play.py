"""Utterances that come and go while others are decoded: a helper for tests, no tests."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from hypothesis import strategies as st
from torch import Tensor

from auricle.config import ModelConfig
from auricle.decoding import (
    ContinuousDecoder,
    Decoding,
    Posteriors,
    ScorerFactory,
    Scorers,
)
from auricle.hypothesis import Hypothesis
from auricle.language_model import NGramModel
from auricle.model import Decoder, DecoderCache, new_cache
from auricle.model.decoder_cache import StepView
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle_types.options import DecodingOptions

FRAMES_PER_SECOND = 25
CONFIG = ModelConfig(tokens_per_second=9.0)


@dataclass(frozen=True)
class Part:
    """What one utterance does."""

    speech: int  # which one it is
    wait: int = 0  # steps between the one before it and it
    options: DecodingOptions = DecodingOptions()
    stay: int | None = None  # steps after which it is cancelled


def parts(
    speeches: int,
    *,
    drawn: bool = True,
    lm_weights: Sequence[float | None] = (None,),
    hotwords: Sequence[tuple[str, ...]] = ((),),
) -> st.SearchStrategy[list[Part]]:
    """Any number of utterances of each kind, joining and leaving at any step.

    Greedy ones, beams, and where `drawn` some whose tokens are drawn by a seed; CTC has no say,
    some, or the only one; with and without guards.
    """
    max_tokens = st.sampled_from([None, 12, 1, 4])
    lm_weight, phrases = st.sampled_from(lm_weights), st.sampled_from(hotwords)
    ctc_weight, guards = st.sampled_from([0.0, 0.3, 1.0]), st.booleans()
    chosen = st.builds(
        DecodingOptions,
        beam_size=st.sampled_from([1, 2, 3, 5]),
        max_tokens=max_tokens,
        ctc_weight=ctc_weight,
        lm_weight=lm_weight,
        guards=guards,
        hotwords=phrases,
    )
    sampled = st.builds(
        DecodingOptions,
        temperature=st.sampled_from([0.3, 1.0]),
        seed=st.integers(0, 3),
        max_tokens=max_tokens,
        ctc_weight=ctc_weight,
        lm_weight=lm_weight,
        guards=guards,
        hotwords=phrases,
    )
    options = st.one_of(chosen, chosen, sampled) if drawn else chosen
    stay = st.sampled_from([None, None, None, 0, 1, 3])
    part = st.builds(
        Part, st.integers(0, speeches - 1), st.sampled_from([0, 0, 1, 4]), options, stay
    )
    return st.lists(part, min_size=1, max_size=12)


class WatchedCache:
    """A cache whose user must know which slots are open."""

    def __init__(self, cache: DecoderCache) -> None:
        self._cache = cache
        self.slots, self.max_frames, self.lens = cache.slots, cache.max_frames, cache.lens
        self.opened: set[int] = set()
        self.copies: list[tuple[int, int]] = []

    def open(self, slots: Sequence[int], memory: Tensor) -> None:
        assert self.opened.isdisjoint(slots)
        self.opened.update(slots)
        self._cache.open(slots, memory)

    def close(self, slots: Sequence[int]) -> None:
        assert self.opened.issuperset(slots)
        self.opened.difference_update(slots)
        self._cache.close(slots)

    def copy(self, source: int, target: int) -> None:
        assert {source, target} <= self.opened
        self.copies.append((source, target))
        self._cache.copy(source, target)

    @property
    def device(self) -> torch.device:
        return self._cache.device

    def rewind(self, slots: Sequence[int]) -> None:
        assert self.opened.issuperset(slots)
        self._cache.rewind(slots)

    def memory(self, slot: int) -> Tensor:
        assert slot in self.opened
        return self._cache.memory(slot)

    def fill(self, slot: int, kept: Tensor) -> None:
        assert slot in self.opened
        self._cache.fill(slot, kept)

    def bytes_of(self, frames: int) -> int:
        return self._cache.bytes_of(frames)

    def rows(self, slots: Sequence[int]) -> list[int]:
        assert self.opened.issuperset(slots)
        assert len(set(slots)) == len(slots)
        return self._cache.rows(slots)

    def view(self, rows: Sequence[int]) -> StepView:
        return self._cache.view(rows)

    def advance(self, slots: Sequence[int]) -> None:
        assert self.opened.issuperset(slots)
        self._cache.advance(slots)


class Stage:
    """Plays parts in order, each as soon as its wait is over and there are slots."""

    def __init__(
        self,
        decoder: Decoder,
        speeches: Sequence[Tensor],
        *,
        cache: DecoderCache | None = None,
        step: Callable[..., Tensor] | None = None,
        posteriors: Sequence[Posteriors] = (),
        language_model: NGramModel | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Without `posteriors` of the speeches, CTC and guards are left out."""
        self.posteriors = posteriors
        self.vocabulary = vocabulary
        size = vocabulary.vocab_size if vocabulary else CONFIG.transformer.vocab_size
        config = replace(CONFIG, transformer=replace(CONFIG.transformer, vocab_size=size))
        self.scorer_factory = ScorerFactory.of(
            config, language_model=language_model, vocabulary=vocabulary
        )
        self.cache = WatchedCache(cache or new_cache(decoder, slots=8, max_frames=64))
        self.decoder = decoder
        self.continuous = ContinuousDecoder(
            decoder, self.cache, step=step, special=Tokenizer.special
        )
        self.speeches = speeches
        self.slots = self.cache.slots
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
        frames = self.cache.max_frames
        cache = new_cache(self.decoder, slots=part.options.beam_size, max_frames=frames)
        stage = Stage(
            self.decoder,
            self.speeches,
            cache=cache,
            posteriors=self.posteriors,
            language_model=self.scorer_factory.language_model,
            vocabulary=self.vocabulary,
        )
        return stage.play([Part(part.speech, options=part.options)])[0]

    def assert_no_slot_is_lost(self) -> None:
        held = [slot for decoding in self.running for slot in decoding.slots]
        assert sorted([*held, *self.continuous._free]) == list(range(self.slots))
        assert len(held) == sum(part.options.beam_size for _, part, _ in self.running.values())
        assert self.cache.opened == set(held)

    def _may_join(self, part: Part, since: int) -> bool:
        if self.running and since < part.wait:
            return False
        return part.options.beam_size <= self.continuous.free_slots

    def _join(self, number: int, part: Part) -> None:
        encoder_out = self.speeches[part.speech]
        (memory,) = self.decoder.project_memory([encoder_out])
        scorers = self.scorers(part)
        decoding = self.continuous.join(memory, scorers.search, scorers.ctc, scorers.lm)
        decoding.hotwords = self.scorer_factory.hotwords(part.options)
        self.running[decoding] = number, part, 0

    def scorers(self, part: Part) -> Scorers:
        """What the part is decoded by."""
        frames = len(self.speeches[part.speech])
        heard = self.posteriors[part.speech] if self.posteriors else None
        return self.scorer_factory.scorers(part.options, frames, frames / FRAMES_PER_SECOND, heard)

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
