"""The state of one utterance while it is decoded."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.encoded_utterance import EncodedUtterance
from auricle.decoding.hotword_trie import HotwordScorer
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.passes import DecodingPasses, LogitsObserver, PassSetup
from auricle.decoding.search import Search
from auricle.hypothesis import Hypothesis
from auricle_types.errors import InferenceError


@dataclass(eq=False, slots=True)
class Decoding:
    """An utterance that is being decoded: its search and the slots of its live hypotheses."""

    search: Search
    setup: PassSetup
    slots: list[int]  # `search.width` of them; the first ones hold the live hypotheses, in order
    generator: torch.Generator | None = None  # of a search that draws its tokens
    ctc: CtcScorer | None = None
    lm: LmScorer | None = None
    hotwords: HotwordScorer | None = None
    error: InferenceError | None = None
    position: int = 0  # of the prompt's token that the decoder reads now
    passes: DecodingPasses | None = None  # None: there is a single pass
    encoded: EncodedUtterance | None = None  # where its words' times are asked for

    @property
    def in_prompt(self) -> bool:
        """Whether its next token comes from the prompt, not from the search."""
        return self.position + 1 < len(self.setup.prompt)

    @property
    def observers(self) -> list[LogitsObserver]:
        """The observers that read the logits of this step."""
        if len(self.search.live[0].tokens) > self.setup.given:
            return []
        return [each for each in self.setup.observers if each.position == self.position]

    @property
    def needs_logits(self) -> bool:
        """Whether the logits of this step have a reader."""
        return not self.in_prompt or bool(self.observers)

    @property
    def result(self) -> Hypothesis:
        """The hypothesis that was found in the end."""
        return self.passes.result() if self.passes is not None else self.search.best()

    @property
    def wants_full_context(self) -> bool:
        """Whether its result is doubtful, and more silence behind the audio may give a better."""
        return self.error is None and self.passes is not None and self.passes.wants_full_context

    @property
    def done(self) -> bool:
        """Whether it needs no more steps."""
        return self.error is not None or self.search.done

    @property
    def live(self) -> list[int]:
        """The slots in use, one for each live hypothesis."""
        return self.slots[: len(self.search.live)]

    def reassign_slots(self, parents: Sequence[int]) -> list[tuple[int, int]]:
        """Give slots to the new live hypotheses, which extend those at `parents`.

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
