"""Continuous decoding (Yu et al. 2022, Orca): an utterance joins at any step, leaves at its END.

The cache has fixed slots. All open slots take each step together, whatever their age, their limit
and the kind of their search.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.config import SpecialTokens
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.filters import LogitFilter, Ruled, Tokens
from auricle.decoding.hearing import Hearing
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.next_tokens import Heard, NextTokens, Read
from auricle.decoding.prelude import Course, Prelude, Probe
from auricle.decoding.search import Candidate, Search
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder, DecoderCache, new_cache
from auricle.tokenizer import Tokenizer
from auricle_types.errors import InferenceError

_PLAIN = Prelude()

LONG_PROMPT = 8  # tokens: fewer are cheaper one by one, in everybody's steps


@dataclass(eq=False, slots=True)
class Decoding:
    """An utterance that is being decoded: its search and the slots of its live hypotheses."""

    search: Search
    slots: list[int]  # `search.width` of them; the first ones hold the live hypotheses, in order
    generator: torch.Generator | None = None  # of a search that draws its tokens
    ctc: CtcScorer | None = None  # where CTC has a say
    lm: LmScorer | None = None  # where a language model has
    error: InferenceError | None = None
    prelude: Prelude = _PLAIN
    fed: int = 0  # tokens of the prompt that the decoder has seen, but for the one that it sees now
    course: Course | None = None  # where there may be more than one attempt
    hearing: Hearing | None = None  # where its words' times are asked for

    @property
    def prompted(self) -> bool:
        """Whether its next token is the prompt's, not the search's."""
        return self.fed + 1 < len(self.prelude.prompt)

    @property
    def probes(self) -> list[Probe]:
        """Those that look at what may come next."""
        if self.search.live[0].tokens:
            return []
        return [probe for probe in self.prelude.probes if probe.place == self.fed]

    @property
    def only_told(self) -> bool:
        """Whether nobody asks what may come next."""
        return self.prompted and not self.probes

    @property
    def answer(self) -> Hypothesis:
        """What is said in the end."""
        return self.course.answer() if self.course is not None else self.search.best()

    @property
    def wants_full_context(self) -> bool:
        """Whether its answer is no answer yet: more silence behind the audio may give a better."""
        return self.error is None and self.course is not None and self.course.wants_full_context

    @property
    def done(self) -> bool:
        """Whether it needs no more steps."""
        return self.error is not None or self.search.done

    @property
    def live(self) -> list[int]:
        """The slots in use, one for each live hypothesis."""
        return self.slots[: len(self.search.live)]

    def go_on_from(self, parents: Sequence[int]) -> list[tuple[int, int]]:
        """Let the new live hypotheses extend those at `parents`.

        The first child of a parent stays in its slot, so only a fork copies.

        Returns:
            The copies to make, from slot to slot.
        """
        heirs = dict(zip(reversed(parents), reversed(range(len(parents))), strict=True))
        kept = {child: self.slots[parent] for parent, child in heirs.items()}
        spare = [slot for slot in self.slots if slot not in kept.values()]
        forks = [child for child in range(len(parents)) if child not in kept]
        given = dict(zip(forks, spare, strict=False))
        copies = [(self.slots[parents[child]], slot) for child, slot in given.items()]
        taken = kept | given
        self.slots = [taken[child] for child in range(len(parents))] + spare[len(forks) :]
        return copies


class ContinuousDecoder:
    """Steps all utterances that have joined; the caller removes those that are done."""

    def __init__(
        self,
        decoder: Decoder,
        cache: DecoderCache,
        *,
        step: Callable[..., Tensor] | None = None,
        special: SpecialTokens = Tokenizer.special,
    ) -> None:
        """Decode in the slots of `cache`; `step` takes the place of the decoder's own.

        `special` are the vocabulary's ids that are no text.
        """
        self._decoder = decoder
        self._step = step or decoder.step
        self._cache = cache
        self._special = special
        self._free = list(range(cache.slots))  # in order: low slots first keeps steps short
        self._last: dict[int, int] = {}  # of each slot that is or was open
        self._running: list[Decoding] = []

    @property
    def free_slots(self) -> int:
        """Hypotheses that could join now."""
        return len(self._free)

    def join(
        self,
        memory: Tensor,
        search: Search,
        ctc: CtcScorer | None = None,
        lm: LmScorer | None = None,
        prelude: Prelude | None = None,
    ) -> Decoding:
        """Begin to decode an utterance, its `memory` from `Decoder.memorise`.

        Its search may be done already: the next step says so. `ctc` and `lm` give those a say.
        `prelude` is what the decoder is told first; by default the vocabulary's start.

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
        prelude = prelude or Prelude(self._special.start)
        self._last.update(dict.fromkeys(slots, prelude.prompt[0]))
        decoding = Decoding(search, slots, generator, ctc, lm, prelude=prelude)
        self._running.append(decoding)
        try:
            self._tell(decoding)
        except Exception:
            self.leave(decoding)  # others want its slots
            raise
        return decoding

    def join_course(self, memory: Tensor, course: Course) -> Decoding:
        """Begin with an utterance that may take more than one attempt; raises as `join` does."""
        attempt = course.begin()
        decoding = self.join(memory, attempt.search, prelude=attempt.prelude)
        decoding.course = course
        return decoding

    def leave(self, decoding: Decoding) -> None:
        """Free an utterance's slots, done or not."""
        self._running.remove(decoding)
        self._free = sorted([*self._free, *decoding.slots])
        self._cache.close(decoding.slots)

    @torch.inference_mode()
    def step(self) -> list[Decoding]:
        """One token for every live hypothesis; returns the utterances that are done with it.

        An utterance whose probabilities are not finite is done with an error; the others go on.
        """
        alive = [decoding for decoding in self._running if not decoding.done]
        if alive:
            self._step_all(alive)
        for decoding in alive:
            self._go_on(decoding)
        return [decoding for decoding in self._running if decoding.done]

    def _go_on(self, decoding: Decoding) -> None:
        """Begin the next attempt, if this one has ended and was not the last: in the same slots."""
        if decoding.course is None or decoding.error is not None or not decoding.done:
            return
        try:
            attempt = decoding.course.go_on(decoding.search.best())
        except InferenceError as error:  # of this utterance alone
            decoding.error = error
            return
        if attempt is not None:
            decoding.search, decoding.prelude, decoding.fed = attempt.search, attempt.prelude, 0
            decoding.generator = _generator(attempt.search, self._cache.device)
            self._cache.rewind(decoding.slots)
            self._last.update(dict.fromkeys(decoding.slots, attempt.prelude.prompt[0]))
            self._tell(decoding)

    @torch.inference_mode()
    def _tell(self, decoding: Decoding) -> None:
        """Feed a long prompt at once, but for its last token, which is the next step's.

        By itself, so that its numbers are the same in any company.
        """
        slot, (*told, last) = decoding.slots[0], decoding.prelude.prompt
        if len(told) < LONG_PROMPT:
            return
        tokens = torch.tensor(told, device=self._cache.device)
        decoder_out, kept = self._decoder.prefill(tokens, self._cache.memory(slot))
        self._cache.fill(slot, kept)
        decoding.fed, self._last[slot] = len(told), last
        for probe in decoding.prelude.probes:
            if probe.place < len(told):
                probe.see(self._decoder.logits(decoder_out[probe.place]).float())

    def _step_all(self, alive: Sequence[Decoding]) -> None:
        live = [slot for decoding in alive for slot in decoding.live]
        rows = self._cache.rows(live)
        row_of = {slot: row for row, slot in enumerate(rows)}
        rows_of = [[row_of[slot] for slot in decoding.live] for decoding in alive]
        out = self._fed(rows)
        self._cache.advance(live)
        if all(decoding.only_told for decoding in alive):  # then nobody looks at the vocabulary
            for decoding in alive:
                self._prompt(decoding)
            return
        following = self._next_tokens(out, alive, rows_of)
        widths = {d.search.width for d in alive if d.generator is None}
        # Each width for itself: which of equal tokens make the list depends on how long it is.
        likeliest = {width: following.likeliest(width + 1) for width in widths}
        for decoding, shown in zip(alive, rows_of, strict=True):
            _probe(decoding, shown[0], following)
            if decoding.prompted:
                self._prompt(decoding)
            else:
                self._extend(decoding, _shown(decoding, shown, following, likeliest))

    def _prompt(self, decoding: Decoding) -> None:
        """The next token is the prompt's."""
        decoding.fed += 1
        self._last[decoding.slots[0]] = decoding.prelude.prompt[decoding.fed]

    def _fed(self, rows: Sequence[int]) -> Tensor:
        """What the decoder makes of each row's last token: `(B, D)`."""
        tokens = torch.tensor([self._last.get(slot, self._special.start[0]) for slot in rows])
        view = self._cache.view(rows)
        return self._step(tokens.to(view.positions.device), view)

    def _next_tokens(
        self, out: Tensor, alive: Sequence[Decoding], rows_of: Sequence[Sequence[int]]
    ) -> NextTokens:
        return NextTokens(
            self._decoder,
            out,
            _heard(alive, rows_of),
            _read(alive, rows_of),
            silent=self._special.silent,
            ruled=_ruled(alive, rows_of),
        )

    def _extend(self, decoding: Decoding, candidates: Sequence[Sequence[Candidate]]) -> None:
        if any(math.isnan(choice.log_prob) for row in candidates for choice in row):
            decoding.error = InferenceError("the model's probabilities are not finite")
            return
        parents = decoding.search.extend(candidates)
        for source, target in decoding.go_on_from(parents):
            self._cache.copy(source, target)
        tokens = [hypothesis.tokens[-1] for hypothesis in decoding.search.live]
        self._last.update(zip(decoding.slots, tokens, strict=False))
        for scorer in (decoding.ctc, decoding.lm):
            if scorer is not None:
                scorer.go_on(parents, tokens)


def _generator(search: Search, device: torch.device) -> torch.Generator | None:
    """Each request its own: what others draw changes nothing."""
    if not search.temperature:
        return None
    generator = torch.Generator(device)
    if search.seed is None:
        generator.seed()
        return generator
    return generator.manual_seed(search.seed)


def _heard(decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]) -> list[Heard]:
    """What CTC says of the rows of those in which it has a say."""
    return [
        Heard(rows, decoding.ctc.weight, decoding.ctc.next_tokens)
        for decoding, rows in zip(decodings, rows_of, strict=True)
        if decoding.ctc is not None
    ]


def _read(decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]) -> list[Read]:
    """What the language model says of the rows of those in which it has a say."""
    return [
        Read(rows, decoding.lm.bonuses)
        for decoding, rows in zip(decodings, rows_of, strict=True)
        if decoding.lm is not None
    ]


def _ruled(decodings: Sequence[Decoding], rows_of: Sequence[Sequence[int]]) -> list[Ruled]:
    """What may not be said, for all rows with the same filters together."""
    together: dict[tuple[LogitFilter, ...], list[tuple[int, Tokens]]] = {}
    for decoding, rows in zip(decodings, rows_of, strict=True):
        if decoding.prompted:
            continue
        for row, hypothesis in zip(rows, decoding.search.live, strict=True):
            said = hypothesis.tokens
            filters = tuple(each for each in decoding.prelude.filters if each.binds(said))
            if filters:
                together.setdefault(filters, []).append((row, said))
    return [
        Ruled([row for row, _ in ordered], [said for _, said in ordered], filters)
        for filters, rows in together.items()
        for ordered in [sorted(rows)]  # side by side, they need not be copied
    ]


def _probe(decoding: Decoding, row: int, following: NextTokens) -> None:
    """Probes look at the first row: there is no other before the prompt's end."""
    for probe in decoding.probes:
        probe.see(following.logits(row))


def _shown(
    decoding: Decoding,
    rows: Sequence[int],
    following: NextTokens,
    likeliest: dict[int, list[list[Candidate]]],
) -> list[list[Candidate]]:
    """What a search chooses from: the likeliest tokens, or the one that was drawn."""
    search = decoding.search
    if decoding.generator is None:
        return [likeliest[search.width][row] for row in rows]
    return [[following.sample(row, search.temperature, decoding.generator)] for row in rows]


def decode_all(
    decoder: Decoder,
    encoder_outs: Sequence[Tensor],
    searches: Sequence[Search],
    special: SpecialTokens = Tokenizer.special,
) -> list[Search]:
    """Decode utterances `(N_i, D)` together to the last; the searches hold the answers.

    Attention alone decides.
    """
    frames = max(map(len, encoder_outs))
    cache = new_cache(
        decoder,
        slots=sum(search.width for search in searches),
        max_frames=frames,
        max_tokens=frames + len(special.start) - 1,
    )
    continuous = ContinuousDecoder(decoder, cache, special=special)
    for memory, search in zip(decoder.memorise(encoder_outs), searches, strict=True):
        continuous.join(memory, search)
    running = len(searches)
    while running:
        for decoding in continuous.step():
            continuous.leave(decoding)
            running -= 1
    return list(searches)
