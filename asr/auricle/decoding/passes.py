"""A decoding pass: a search and how it is set up. An utterance may take several passes."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from auricle.decoding.logits_processors import LogitsProcessor, Tokens
from auricle.decoding.search import Search
from auricle.hypothesis import Hypothesis


class LogitsObserver(Protocol):
    """Reads the logits that follow one token of the prompt, once."""

    @property
    def position(self) -> int:
        """The index of that token in the prompt, counted from 0."""
        ...

    def observe(self, logits: Tensor) -> None:
        """Read the unprocessed logits `(V,)` of all tokens."""
        ...


@dataclass(frozen=True, slots=True)
class PassSetup:
    """The decoder reads the prompt first; processors act on the logits of the tokens after it.

    The prompt's last `given` tokens are the first ones of the text.
    """

    prompt: Tokens
    processors: tuple[LogitsProcessor, ...] = ()
    observers: tuple[LogitsObserver, ...] = ()
    given: int = 0

    @property
    def given_tokens(self) -> Tokens:
        """The first tokens of the text, which are in the prompt."""
        return self.prompt[len(self.prompt) - self.given :]


def begun(prompt: Tokens, prefix: Hypothesis | None) -> PassSetup:
    """Set up a pass whose text begins with `prefix`."""
    given = prefix.tokens if prefix is not None else ()
    return PassSetup((*prompt, *given), given=len(given))


@dataclass(frozen=True, slots=True)
class DecodingPass:
    """One search over an utterance, with its setup."""

    search: Search
    setup: PassSetup


class DecodingPasses(Protocol):
    """Decides which passes an utterance takes; its encoder output is kept until the last one.

    No search is wider than that of the first pass.
    """

    def first(self) -> DecodingPass:
        """Return the first pass."""
        ...

    def next_after(self, hypothesis: Hypothesis) -> DecodingPass | None:
        """Return the pass after the one that found `hypothesis`; None after the last."""
        ...

    def result(self) -> Hypothesis:
        """Return the hypothesis that all passes together have found."""
        ...

    @property
    def wants_full_context(self) -> bool:
        """Whether the result is doubtful because the encoder got too little silence."""
        ...
