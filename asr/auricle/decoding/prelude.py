"""What a decoding begins with, and what is learnt of an utterance on the way there."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from auricle.decoding.filters import LogitFilter, Tokens
from auricle.decoding.search import Search
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer


class Probe(Protocol):
    """Looks once at what may follow a token of the prompt."""

    @property
    def place(self) -> int:
        """Which token of the prompt, counted from 0."""
        ...

    def see(self, logits: Tensor) -> None:
        """Of all tokens `(V,)`, none forbidden."""
        ...


@dataclass(frozen=True, slots=True)
class Prelude:
    """The prompt is fed before any token is chosen; filters are for those that are."""

    prompt: Tokens = Tokenizer.special.start
    filters: tuple[LogitFilter, ...] = ()
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One decoding of an utterance."""

    search: Search
    prelude: Prelude


class Course(Protocol):
    """The attempts at one utterance, whose memory is kept from the first to the last.

    No search is wider than the first one's.
    """

    def begin(self) -> Attempt:
        """The first attempt."""
        ...

    def go_on(self, found: Hypothesis) -> Attempt | None:
        """The next attempt, after one has found this; None where the answer is there."""
        ...

    def answer(self) -> Hypothesis:
        """What is said in the end."""
        ...

    @property
    def wants_full_context(self) -> bool:
        """Whether the answer is doubtful because the encoder was shown too little silence."""
        ...
