"""A backoff n-gram model as a trie in flat arrays, which scores all tokens of a history at once.

A node is an n-gram; what follows it in the text are its children, which lie side by side. Nodes are
in breadth-first order: first the single tokens, each at its own number, then all pairs, and so on.
The probability of a token after a history is that of the longest n-gram that the model holds,
times the backoffs of the longer histories that do not lead to it (Katz 1987).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from auricle.compiled import compiled
from auricle.tokenizer import Tokenizer

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Small = npt.NDArray[np.unsignedinteger]  # as small as the vocabulary allows

LEVELS = 256  # of log-probabilities and of backoffs, in each order
_BLANK, _START, _UNKNOWN = Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id


@dataclass(frozen=True, slots=True, eq=False)
class NGramModel:
    """`M` n-grams of up to `order` tokens, `I` of them shorter than that. Safe to share."""

    order: int
    vocab_size: int
    tokens: Small  # (M,) the last one of each n-gram
    first: Ints  # (I + 1,) each one's first child; the last is behind the one before
    log_probs: Bytes  # (M,) of the last token after the others: a place in its order's book
    backoffs: Bytes  # (I,) of each with children: a place in its order's book
    log_prob_books: Floats  # (order, LEVELS)
    backoff_books: Floats  # (order, LEVELS)

    def __len__(self) -> int:
        """Count the n-grams, `M`."""
        return len(self.tokens)

    def beginning(self) -> Ints:
        """The contexts `(1, order - 1)` of a hypothesis that has said nothing yet."""
        contexts = np.full((1, self.order - 1), -1, np.int32)
        contexts[0, 0] = _START
        return contexts

    def extended(self, contexts: Ints, parents: Sequence[int], tokens: Sequence[int]) -> Ints:
        """Contexts of hypotheses that extend those at `parents`, each by its token.

        A context `(order - 1,)` holds the nodes of the last token, the last two, and so on; -1
        where the model has none.
        """
        found = np.empty((len(parents), self.order - 1), np.int32)
        before = contexts[np.asarray(parents, np.int64)]
        _extend(self.tokens, self.first, before, np.asarray(tokens, np.int64), found)
        return found

    def following(self, contexts: Ints) -> Floats:
        """Log-probabilities `(B, V)` of what comes next, END included; -inf where nothing is said.

        A row depends on its context alone, to the last bit.
        """
        rows = np.empty((len(contexts), self.vocab_size), np.float32)
        _follow(
            self.tokens,
            self.first,
            self.log_probs,
            self.backoffs,
            self.log_prob_books,
            self.backoff_books,
            contexts,
            rows,
        )
        return rows


def compile_now(model: NGramModel) -> None:
    """So that the first utterance need not wait: seconds where no machine code is kept yet."""
    model.following(model.extended(model.beginning(), [0], [Tokenizer.end_id]))


@compiled
def _extend(  # arrays are what numba takes
    tokens: Small,
    first: Ints,
    before: Ints,
    said: npt.NDArray[np.int64],
    after: Ints,
) -> None:
    """Fill `after (B, order - 1)`."""
    for row in range(len(said)):
        after[row, 0] = said[row]
        for length in range(1, before.shape[1]):
            after[row, length] = _child(tokens, first, before[row, length - 1], said[row])


@compiled
def _child(tokens: Small, first: Ints, node: int, token: int) -> int:
    """The node of an n-gram and one token more; -1 where there is none."""
    if node < 0:
        return -1
    low, end = first[node], first[node + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if tokens[middle] < token:
            low = middle + 1
        else:
            high = middle
    return low if low < end and tokens[low] == token else -1


@compiled
def _follow(  # noqa: PLR0913, PLR0917 - as above
    tokens: Small,
    first: Ints,
    log_probs: Bytes,
    backoffs: Bytes,
    log_prob_books: Floats,
    backoff_books: Floats,
    contexts: Ints,
    rows: Floats,
) -> None:
    """Fill `rows (B, V)`: from the shortest context on, the longer ones knowing better."""
    for row in range(len(contexts)):
        for token in range(rows.shape[1]):
            rows[row, token] = log_prob_books[0, log_probs[token]]
        for length in range(contexts.shape[1]):
            node = contexts[row, length]
            if node >= 0 and first[node] < first[node + 1]:
                left = backoff_books[length, backoffs[node]]
                for token in range(rows.shape[1]):
                    rows[row, token] += left
                for child in range(first[node], first[node + 1]):
                    rows[row, tokens[child]] = log_prob_books[length + 1, log_probs[child]]
        rows[row, _BLANK] = rows[row, _START] = rows[row, _UNKNOWN] = -np.inf
