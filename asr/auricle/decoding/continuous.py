"""Continuous decoding (Yu et al. 2022, Orca): an utterance joins at any step and leaves at its END.

The cache has fixed slots. All open slots take each step together, whatever their age, their limit
and the kind of their search.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from auricle.config import SpecialTokens
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.decoding_state import Decoding
from auricle.decoding.hotword_trie import HotwordScorer
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.logits_processors import LogitsProcessor, RowProcessors, Tokens
from auricle.decoding.next_tokens import CtcScores, HotwordScores, LmScores, NextTokens
from auricle.decoding.passes import DecodingPasses, PassSetup
from auricle.decoding.search import Candidate, Search
from auricle.model import Decoder, DecoderCache, new_cache
from auricle_types.errors import InferenceError

LONG_PROMPT = 8  # tokens: fewer are cheaper one by one, in everybody's steps


class ContinuousDecoder:
    """Steps all utterances that have joined; the caller removes those that are done."""

    def __init__(
        self,
        decoder: Decoder,
        cache: DecoderCache,
        *,
        special: SpecialTokens,
        step: Callable[..., Tensor] | None = None,
    ) -> None:
        """Decode in the slots of `cache`; `step` takes the place of the decoder's own.

        `special` holds the vocabulary's ids that are no text.
        """
        self._decoder = decoder
        self._step = step or decoder.step
        self._cache = cache
        self._special = special
        self._free = list(range(cache.slots))  # in order: low slots first keeps steps short
        self._last: dict[int, int] = {}  # the last token of each slot that is or was open
        self._running: list[Decoding] = []

    @property
    def free_slots(self) -> int:
        """How many hypotheses could join now."""
        return len(self._free)

    def join(
        self,
        memory: Tensor,
        search: Search,
        ctc: CtcScorer | None = None,
        lm: LmScorer | None = None,
        setup: PassSetup | None = None,
    ) -> Decoding:
        """Begin to decode an utterance, its `memory` from `Decoder.project_memory`.

        Its search may be done already: the next step says so. `ctc` and `lm` score its hypotheses,
        too. Without a `setup` the prompt is the vocabulary's start.

        Raises:
            ValueError: it has more frames than a slot, or fewer than `search.width` slots are free.
        """
        if memory.shape[3] > self._cache.max_frames:
            raise ValueError(f"{memory.shape[3]} frames where {self._cache.max_frames} fit")
        if search.width > self.free_slots:
            raise ValueError(f"{search.width} slots wanted where {self.free_slots} are free")
        generator = _generator(search, memory.device)
        slots = self._free[: search.width]
        self._cache.open(slots, memory)  # may want more memory than there is: then nobody joined
        del self._free[: search.width]
        setup = setup or PassSetup(self._special.start)
        self._last.update(dict.fromkeys(slots, setup.prompt[0]))
        decoding = Decoding(search, setup, slots, generator, ctc, lm)
        self._running.append(decoding)
        try:
            self._prefill(decoding)
        except Exception:
            self.leave(decoding)  # others want its slots
            raise
        return decoding

    def join_passes(self, memory: Tensor, passes: DecodingPasses) -> Decoding:
        """Begin with an utterance that may take several passes; raises as `join` does."""
        first = passes.first()
        decoding = self.join(memory, first.search, setup=first.setup)
        decoding.passes = passes
        return decoding

    def leave(self, decoding: Decoding) -> None:
        """Free an utterance's slots, done or not."""
        self._running.remove(decoding)
        self._free = sorted([*self._free, *decoding.slots])
        self._cache.close(decoding.slots)

    @torch.inference_mode()
    def step(self) -> list[Decoding]:
        """Add one token to every live hypothesis; returns the utterances that are done with it.

        An utterance whose probabilities are not finite is done with an error; the others go on.
        """
        alive = [decoding for decoding in self._running if not decoding.done]
        if alive:
            self._step_all(alive)
        for decoding in self._running:  # a search may have been done before its first step
            self._next_pass(decoding)
        return [decoding for decoding in self._running if decoding.done]

    def _next_pass(self, decoding: Decoding) -> None:
        """Begin the next pass in the same slots, if this one has ended and was not the last."""
        if decoding.passes is None or decoding.error is not None or not decoding.done:
            return
        try:
            following = decoding.passes.next_after(decoding.search.best())
        except InferenceError as error:  # of this utterance alone
            decoding.error = error
            return
        if following is not None:
            decoding.search, decoding.setup = following.search, following.setup
            decoding.position = 0
            if decoding.hotwords is not None:
                trie, given = decoding.hotwords.trie, following.setup.given_tokens
                decoding.hotwords = HotwordScorer(trie, given)
            decoding.generator = _generator(following.search, self._cache.device)
            self._cache.rewind(decoding.slots)
            self._last.update(dict.fromkeys(decoding.slots, following.setup.prompt[0]))
            self._prefill(decoding)

    @torch.inference_mode()
    def _prefill(self, decoding: Decoding) -> None:
        """Run the decoder over a long prompt at once, but for its last token.

        The utterance is alone in it, so that its numbers are the same in any company.
        """
        slot, (*prefix, last) = decoding.slots[0], decoding.setup.prompt
        if len(prefix) < LONG_PROMPT:
            return
        tokens = torch.tensor(prefix, device=self._cache.device)
        decoder_out, kept = self._decoder.prefill(tokens, self._cache.memory(slot))
        self._cache.fill(slot, kept)
        decoding.position, self._last[slot] = len(prefix), last
        for observer in decoding.setup.observers:
            if observer.position < len(prefix):
                logits = self._decoder.logits(decoder_out[observer.position])
                observer.observe(logits.float())

    def _step_all(self, alive: Sequence[Decoding]) -> None:
        live = [slot for decoding in alive for slot in decoding.live]
        rows = self._cache.rows(live)
        row_of = {slot: row for row, slot in enumerate(rows)}
        rows_of = [[row_of[slot] for slot in decoding.live] for decoding in alive]
        out = self._decoder_out(rows)
        self._cache.advance(live)
        if not any(decoding.needs_logits for decoding in alive):
            for decoding in alive:
                self._take_prompt_token(decoding)
            return
        following = self._next_tokens(out, alive, rows_of)
        widths = {d.search.width for d in alive if d.generator is None}
        # Each width for itself: which of equal tokens make the list depends on how long it is.
        likeliest = {width: following.likeliest(width + 1) for width in widths}
        for decoding, own_rows in zip(alive, rows_of, strict=True):
            for observer in decoding.observers:  # before the prompt's end there is one row
                observer.observe(following.logits(own_rows[0]))
            if decoding.in_prompt:
                self._take_prompt_token(decoding)
            else:
                self._extend(decoding, _candidates(decoding, own_rows, following, likeliest))

    def _take_prompt_token(self, decoding: Decoding) -> None:
        decoding.position += 1
        self._last[decoding.slots[0]] = decoding.setup.prompt[decoding.position]

    def _decoder_out(self, rows: Sequence[int]) -> Tensor:
        """Run the decoder over each row's last token: `(B, D)`."""
        tokens = torch.tensor([self._last.get(slot, self._special.start[0]) for slot in rows])
        view = self._cache.view(rows)
        return self._step(tokens.to(view.positions.device), view)

    def _next_tokens(
        self, out: Tensor, alive: Sequence[Decoding], rows_of: Sequence[Sequence[int]]
    ) -> NextTokens:
        return NextTokens(
            self._decoder,
            out,
            _ctc_scores(alive, rows_of),
            _lm_scores(alive, rows_of),
            _hotword_scores(alive, rows_of),
            suppressed=self._special.suppressed,
            processors=_row_processors(alive, rows_of),
        )

    def _extend(self, decoding: Decoding, candidates: Sequence[Sequence[Candidate]]) -> None:
        if any(math.isnan(choice.log_prob) for row in candidates for choice in row):
            decoding.error = InferenceError("the model's probabilities are not finite")
            return
        parents = decoding.search.extend(candidates)
        for source, target in decoding.reassign_slots(parents):
            self._cache.copy(source, target)
        tokens = [hypothesis.tokens[-1] for hypothesis in decoding.search.live]
        self._last.update(zip(decoding.slots, tokens, strict=False))
        for scorer in (decoding.ctc, decoding.lm, decoding.hotwords):
            if scorer is not None:
                scorer.advance(parents, tokens)


def _generator(search: Search, device: torch.device) -> torch.Generator | None:
    """Give each request its own generator: what others draw changes nothing."""
    if not search.sampling.temperature:
        return None
    generator = torch.Generator(device)
    if search.sampling.seed is None:
        generator.seed()
        return generator
    return generator.manual_seed(search.sampling.seed)


def _ctc_scores(decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]) -> list[CtcScores]:
    return [
        CtcScores(rows, decoding.ctc.weight, decoding.ctc.next_tokens)
        for decoding, rows in zip(decodings, rows_of, strict=True)
        if decoding.ctc is not None
    ]


def _lm_scores(decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]) -> list[LmScores]:
    return [
        LmScores(rows, decoding.lm.bonuses)
        for decoding, rows in zip(decodings, rows_of, strict=True)
        if decoding.lm is not None
    ]


def _hotword_scores(
    decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]
) -> list[HotwordScores]:
    return [
        HotwordScores(row, *trie.gains(state), trie.pending(state), trie.continues_word)
        for decoding, rows in zip(decodings, rows_of, strict=True)
        if decoding.hotwords is not None and not decoding.in_prompt
        for trie in [decoding.hotwords.trie]
        for row, state in zip(rows, decoding.hotwords.states, strict=True)
    ]


def _row_processors(
    decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]
) -> list[RowProcessors]:
    """Put all rows with the same processors together."""
    together: dict[tuple[LogitsProcessor, ...], list[tuple[int, Tokens]]] = {}
    for decoding, rows in zip(decodings, rows_of, strict=True):
        if decoding.in_prompt:
            continue
        for row, hypothesis in zip(rows, decoding.search.live, strict=True):
            tokens = hypothesis.tokens
            processors = tuple(p for p in decoding.setup.processors if p.applies_to(tokens))
            if processors:
                together.setdefault(processors, []).append((row, tokens))
    return [
        RowProcessors([row for row, _ in ordered], [tokens for _, tokens in ordered], processors)
        for processors, rows in together.items()
        for ordered in [sorted(rows)]  # side by side, they need not be copied
    ]


def _candidates(
    decoding: Decoding,
    rows: Sequence[int],
    following: NextTokens,
    likeliest: dict[int, list[list[Candidate]]],
) -> list[list[Candidate]]:
    """A search chooses from the likeliest tokens, or gets the one that was drawn."""
    search, hotwords = decoding.search, decoding.hotwords
    if decoding.generator is None:
        candidates = [likeliest[search.width][row] for row in rows]
    else:
        temperature = search.sampling.temperature
        candidates = [[following.sample(row, temperature, decoding.generator)] for row in rows]
    if hotwords is None:
        return candidates
    return [[_boosted(each, hotwords, row) for each in own] for row, own in enumerate(candidates)]


def _boosted(candidate: Candidate, hotwords: HotwordScorer, row: int) -> Candidate:
    bonus = hotwords.bonus(row, candidate.token)
    return candidate._replace(bonus=candidate.bonus + bonus)


def decode_all(
    decoder: Decoder,
    encoder_outs: Sequence[Tensor],
    searches: Sequence[Search],
    special: SpecialTokens,
) -> list[Search]:
    """Decode utterances `(N_i, D)` together to the last, by attention alone.

    The searches hold the results.
    """
    frames = max(map(len, encoder_outs))
    cache = new_cache(
        decoder,
        slots=sum(search.width for search in searches),
        max_frames=frames,
        max_tokens=frames + len(special.start) - 1,
    )
    continuous = ContinuousDecoder(decoder, cache, special=special)
    for memory, search in zip(decoder.project_memory(encoder_outs), searches, strict=True):
        continuous.join(memory, search)
    running = len(searches)
    while running:
        for decoding in continuous.step():
            continuous.leave(decoding)
            running -= 1
    return list(searches)
