"""A trie of phrases with failure links (Aho and Corasick 1975), which scores growing texts.

The bonus of a text is the sum of two parts:

- each place where a phrase stands as whole words gives the phrase's weight for each of its tokens;
- the beginning of a phrase at the end of the text gives a part of that, as a loan: the next token
  that does not go on with a phrase gives it back.

So a hypothesis is favoured from a phrase's first token on, and in the end only for whole phrases.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

ROOT = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """The tokens of a phrase, and what it adds to a score."""

    tokens: tuple[int, ...]
    weight: float  # for each token
    ends_word: bool = True  # counts only where the next token begins another word

    def loan(self, count: int) -> float:
        """Return what its first tokens add: the square of their share of what the phrase adds.

        Many words begin like a phrase, and greedy search cannot go back: so the first tokens add
        little, and those that make it likely that the phrase is meant add most.
        """
        return self.weight * count * count / len(self.tokens)


@dataclass(slots=True, eq=False)
class _Node:
    """The beginning of some phrases."""

    children: dict[int, int] = field(default_factory=dict)
    failure: int = ROOT  # the longest proper end of it that begins a phrase, too
    loan: float = 0.0  # for the longest phrase that is not yet complete
    pending: float = 0.0  # for phrases that are complete if the next token begins a word
    earned: float = 0.0  # for phrases that are complete whatever comes next


class HotwordTrie:
    """Scores tokens after a state; states are whole numbers, and the first one is `ROOT`."""

    def __init__(self, phrases: Iterable[Phrase], continues_word: npt.NDArray[np.bool_]) -> None:
        """`continues_word (V,)` says which tokens go on with the word of the token before.

        No phrase is empty. Of phrases with the same tokens, the largest weight counts.
        """
        self.continues_word = continues_word
        self._nodes = [_Node()]
        for phrase in phrases:
            self._insert(phrase)
        self._link()
        self._first = self._children(ROOT)

    def __len__(self) -> int:
        """Count the states of the trie."""
        return len(self._nodes)

    def following(self, state: int, token: int) -> int:
        """Return the state after one more token."""
        nodes = self._nodes
        while token not in nodes[state].children:
            if state == ROOT:
                return ROOT
            state = nodes[state].failure
        return nodes[state].children[token]

    def bonus(self, state: int, token: int) -> float:
        """Return what a token adds to the bonus of a text in that state; below 0 for a loss."""
        before = self._nodes[state]
        loss = before.loan + (before.pending if self.continues_word[token] else 0.0)
        return self._gain(self.following(state, token)) - loss

    def pending(self, state: int) -> float:
        """Return what a text in that state loses where the next token continues its last word."""
        return self._nodes[state].pending

    def gains(self, state: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return the tokens that go on with a phrase, and what each gains before any loss."""
        if state == ROOT:
            return self._first
        tokens, gains = [], []
        while state != ROOT:
            found = self._children(state)
            tokens.append(found[0])
            gains.append(found[1])
            state = self._nodes[state].failure
        every = np.concatenate([*tokens, self._first[0]])
        chosen, first = np.unique(every, return_index=True)  # the longest match wins
        return chosen, np.concatenate([*gains, self._first[1]])[first]

    def _gain(self, state: int) -> float:
        node = self._nodes[state]
        return node.loan + node.pending + node.earned

    def _children(self, state: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        children = self._nodes[state].children
        tokens = np.fromiter(children.keys(), np.int64, len(children))
        gains = np.fromiter(map(self._gain, children.values()), np.float32, len(children))
        return tokens, gains

    def _insert(self, phrase: Phrase) -> None:
        state = ROOT
        for depth, token in enumerate(phrase.tokens):
            node = self._nodes[state]
            node.loan = max(node.loan, phrase.loan(depth))
            if token not in node.children:
                node.children[token] = len(self._nodes)
                self._nodes.append(_Node())
            state = node.children[token]
        node, whole = self._nodes[state], phrase.loan(len(phrase.tokens))
        if phrase.ends_word:
            node.pending = max(node.pending, whole)
        else:
            node.earned = max(node.earned, whole)

    def _link(self) -> None:
        """Set the failure links, nearest nodes first; what shorter ends are worth is added."""
        queue = deque(self._nodes[ROOT].children.values())
        while queue:
            state = queue.popleft()
            node = self._nodes[state]
            for token, child in node.children.items():
                link = self.following(node.failure, token)
                self._nodes[child].failure = link
                queue.append(child)
            shorter = self._nodes[node.failure]
            node.loan = max(node.loan, shorter.loan)
            node.pending += shorter.pending
            node.earned += shorter.earned


class HotwordScorer:
    """Follows the hypotheses of one search through a trie."""

    def __init__(self, trie: HotwordTrie, given: Iterable[int] = ()) -> None:
        """Begin behind the tokens that are `given`."""
        self.trie = trie
        self.states = [ROOT]  # of each live hypothesis
        for token in given:
            self.advance([0], [token])

    def bonus(self, row: int, token: int) -> float:
        """Return what a token adds to the score of a live hypothesis."""
        return self.trie.bonus(self.states[row], token)

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> None:
        """Follow the search: its new live hypotheses extend those at `parents`, by one token."""
        self.states = [
            self.trie.following(self.states[parent], token)
            for parent, token in zip(parents, tokens, strict=True)
        ]
