"""Continuous decoding (Yu et al. 2022, Orca): an utterance joins at any step, leaves at its END.

The cache has fixed slots. All open slots take each step together, whatever their age, their limit
and the kind of their search. A step always computes whole groups of slots, so that a row is given
the same bits whether one hypothesis is there or many.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from auricle.decoding.filters import token_log_probs
from auricle.decoding.search import Candidate, Search
from auricle.errors import InferenceError
from auricle.model import Decoder, DecoderCache
from auricle.model.strip import MIN_ROWS
from auricle.tokenizer import Tokenizer


@dataclass(eq=False, slots=True)
class Decoding:
    """An utterance that is being decoded: its search and the slots of its live hypotheses."""

    search: Search
    slots: list[int]  # `search.width` of them, reserved from joining to leaving
    error: InferenceError | None = field(default=None)

    @property
    def rows(self) -> list[int]:
        """The slots in use, one for each live hypothesis."""
        return self.slots[: len(self.search.live)]


class ContinuousDecoder:
    """Steps all utterances that have joined; the caller removes those that are done."""

    def __init__(self, decoder: Decoder, *, slots: int, max_frames: int) -> None:
        """Room for `slots` hypotheses of `max_frames` encoder frames and as many tokens each."""
        self._decoder = decoder
        self._cache = DecoderCache(
            decoder.config,
            slots=-(-slots // MIN_ROWS) * MIN_ROWS,
            max_tokens=max_frames,
            max_frames=max_frames,
            like=decoder.embedding.weight,
        )
        self._free = list(range(slots))  # a heap: low slots first keeps steps short
        self._last = [Tokenizer.start_id] * len(self._cache.lens)
        self._max_frames = max_frames
        self._running: list[Decoding] = []

    @property
    def free_slots(self) -> int:
        """Hypotheses that could join now."""
        return len(self._free)

    def join(self, encoder_out: Tensor, search: Search) -> Decoding:
        """Begin to decode an utterance, `encoder_out (N, D)`.

        Raises:
            ValueError: it is longer than `max_frames`, or fewer than `search.width` slots are free.
        """
        if len(encoder_out) > self._max_frames:
            raise ValueError(f"{len(encoder_out)} frames where {self._max_frames} fit")
        if search.width > self.free_slots:
            raise ValueError(f"{search.width} slots wanted where {self.free_slots} are free")
        keys, values = self._decoder.memorise(encoder_out)
        decoding = Decoding(search, [heapq.heappop(self._free) for _ in range(search.width)])
        for slot in decoding.slots:
            self._cache.open(slot, keys, values)
            self._last[slot] = Tokenizer.start_id
        self._running.append(decoding)
        return decoding

    def leave(self, decoding: Decoding) -> None:
        """Free an utterance's slots, done or not."""
        self._running.remove(decoding)
        for slot in decoding.slots:
            self._cache.close(slot)
            heapq.heappush(self._free, slot)

    @torch.inference_mode()
    def step(self) -> list[Decoding]:
        """One token for every live hypothesis; returns the utterances that are done with it.

        An utterance whose probabilities are not finite is done with an error; the others go on.
        """
        if not self._running:
            return []
        log_probs = self._log_probs()
        widths = {decoding.search.width for decoding in self._running}
        # Each width for itself: which of equal tokens make the list depends on how long it is.
        candidates = {width: _likeliest(log_probs, width + 1) for width in widths}
        for decoding in self._running:
            self._extend(decoding, candidates[decoding.search.width])
        return [d for d in self._running if d.error is not None or d.search.done]

    def _log_probs(self) -> Tensor:
        """Of the next token of each slot, `(B, V)`, in whole groups up to the last open slot."""
        last = max(slot for decoding in self._running for slot in decoding.slots)
        rows = (last // MIN_ROWS + 1) * MIN_ROWS
        device = self._cache.self_keys.device
        tokens = torch.tensor(self._last[:rows], device=device)
        return token_log_probs(self._decoder.step(tokens, self._cache))

    def _extend(self, decoding: Decoding, candidates: Sequence[list[Candidate]]) -> None:
        rows = decoding.rows
        shown = [candidates[row] for row in rows]
        if any(math.isnan(log_prob) for row in shown for log_prob, _ in row):
            decoding.error = InferenceError("the model's probabilities are not finite")
            return
        parents = decoding.search.extend(shown)
        live = decoding.search.live
        self._cache.reorder(decoding.slots[: len(live)], [rows[parent] for parent in parents])
        for slot, hypothesis in zip(decoding.slots, live, strict=False):
            self._last[slot] = hypothesis.tokens[-1]


def _likeliest(log_probs: Tensor, count: int) -> list[list[Candidate]]:
    """The `count` likeliest tokens of each row."""
    top = log_probs.topk(min(count, log_probs.shape[1]), dim=-1)
    pairs = zip(top.values.tolist(), top.indices.tolist(), strict=True)
    return [list(zip(values, chosen, strict=True)) for values, chosen in pairs]


def decode_all(
    decoder: Decoder, encoder_outs: Sequence[Tensor], searches: Sequence[Search]
) -> list[Search]:
    """Decode utterances `(N_i, D)` together to the last; the searches hold the answers."""
    slots = sum(search.width for search in searches)
    continuous = ContinuousDecoder(decoder, slots=slots, max_frames=max(map(len, encoder_outs)))
    for encoder_out, search in zip(encoder_outs, searches, strict=True):
        continuous.join(encoder_out, search)
    running = len(searches)
    while running:
        for decoding in continuous.step():
            continuous.leave(decoding)
            running -= 1
    return list(searches)
