"""CTC prefix probabilities: how likely an utterance begins with some tokens (Graves 2008).

`forward[0, t]` and `forward[1, t]` are the probabilities of all alignments of the first `t` frames
that spell a prefix and end in its last token, or in a blank. From them come the probability of
every next token at once, and of END, which means that nothing follows (Watanabe et al. 2017). Over
all tokens and END they sum to 1.

Probabilities, not their logarithms: the recursion is then a few products a frame. They stay in
range because each frame's are over its highest, and each prefix' over its own highest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from auricle.compiled import compiled
from auricle.config import CTC_BLANK
from auricle.decoding.repetition import Tokens

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

CHANCE = 0.3  # in steady noise no token reaches a quarter; in speech most do
FLOOR = -1e3  # END's log-probability is never below: some token can always be chosen
_LEAST = -80.0  # nor is a frame's, beside its highest: float32 holds it
_TINY = 1e-290  # forward probabilities below are 0: numbers this small are slow to compute
_NEGLIGIBLE = 1e-30  # frames with less than this share of the most important one are passed over
_STEEPEST = 700.0  # an exponent that float64 holds
MISSED = 1  # of many words that are the same, CTC may take two for one
_NO_TOKEN = -1  # the last token of the empty prefix


@dataclass(frozen=True, slots=True, eq=False)
class Posteriors:
    """The CTC head's output for one utterance, on the host."""

    odds: Floats  # (N, V) each frame's probabilities over its highest
    best: Doubles  # (N + 1,) log-probability of the likeliest alignment of the first frames
    end: int  # the token whose probability is that the utterance says no more

    @classmethod
    def of(cls, log_probs: Floats, *, end: int) -> Self:
        """Make them from finite log-probabilities `(N, V)`; `end` is the token of END."""
        highest = log_probs.max(axis=1)
        odds = np.exp(np.maximum(log_probs - highest[:, None], _LEAST))
        best = np.concatenate([[0.0], np.cumsum(highest, dtype=np.float64)])
        return cls(np.ascontiguousarray(odds, np.float32), best, end)

    @property
    def frames(self) -> int:
        """The number of encoder frames, `N`."""
        return len(self.odds)

    @property
    def silent(self) -> bool:
        """Whether most is blank, and no frame has a likelier token, unless by mere chance.

        But for the first, if there are others: a recording that is switched on sounds like a word.
        """
        odds = self.odds[min(1, len(self.odds) - 1) :]
        highest, blanks = 1 / odds.sum(axis=1), odds[:, CTC_BLANK]
        tokens = (blanks < 1.0) & (highest > CHANCE)
        return bool((blanks * highest).mean() > 0.5 and not tokens.any())

    def possible(self, phrase: Tokens) -> float:
        """How often a phrase can have been said in a row: as often as any of its tokens occurs."""
        best = self.odds.argmax(axis=1)
        path = best[np.flatnonzero(np.diff(best, prepend=CTC_BLANK))]
        return MISSED + max(int((path == token).sum()) for token in phrase)

    @staticmethod
    def bytes_of(frames: int, vocab_size: int) -> int:
        """How much memory the posteriors of so many frames take."""
        return frames * vocab_size * np.dtype(np.float32).itemsize


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """Prefixes of one utterance, and their forward probabilities."""

    forward: Doubles  # (B, 2, N + 1) over the prefix' highest, times `best`
    scales: Doubles  # (B,) the logarithm of what `forward` was divided by
    lasts: Longs  # (B,) the last token, `_NO_TOKEN` where there is none
    log_probs: Doubles  # (B,) that the utterance begins with the prefix


def compile_now() -> None:
    """Compile before the first utterance waits for it: seconds where no machine code is kept."""
    posteriors = Posteriors.of(np.zeros((1, 2), np.float32), end=1)
    prefixes = empty_prefix(posteriors)
    following(posteriors, extended(posteriors, prefixes, [0], [1], [0.0]))


def empty_prefix(posteriors: Posteriors) -> Prefixes:
    """Return the empty prefix, alone."""
    forward = np.zeros((1, 2, posteriors.frames + 1))
    forward[0, 1, 0] = 1.0
    blanks = posteriors.odds[:, CTC_BLANK].astype(np.float64)
    forward[0, 1, 1:] = np.cumprod(blanks)
    forward[forward < _TINY] = 0.0
    lasts = np.full(1, _NO_TOKEN, np.int64)
    return Prefixes(forward, np.zeros(1), lasts, np.zeros(1))


def following(posteriors: Posteriors, prefixes: Prefixes) -> Floats:
    """Compute log-probabilities of what follows each prefix `(B, V)`, END included.

    A token that no alignment has room for is -inf; END is at least `FLOOR`.
    """
    rows = np.empty((len(prefixes.lasts), posteriors.odds.shape[1]), np.float32)
    _following(
        posteriors.odds,
        posteriors.best,
        prefixes.forward,
        prefixes.scales - prefixes.log_probs,
        prefixes.lasts,
        posteriors.end,
        rows,
    )
    return rows


def extended(
    posteriors: Posteriors,
    prefixes: Prefixes,
    parents: Sequence[int],
    tokens: Sequence[int],
    log_probs: Sequence[float],
) -> Prefixes:
    """Extend the prefixes at `parents`, each by one of `tokens`.

    Args:
        posteriors: those of the utterance.
        prefixes: the prefixes so far.
        parents: the index of the one to extend, for each new prefix.
        tokens: the token that each new prefix ends in.
        log_probs: the tokens' log-probabilities, as `following` gave them.
    """
    chosen = np.asarray(parents, np.int64)
    lasts = np.asarray(tokens, np.int64)
    forward = np.empty((len(lasts), 2, posteriors.frames + 1))
    scales = prefixes.scales[chosen]
    _extend(posteriors.odds, prefixes.forward, prefixes.lasts, chosen, lasts, forward, scales)
    return Prefixes(forward, scales, lasts, prefixes.log_probs[chosen] + np.asarray(log_probs))


@compiled
def _following(  # arrays are what numba takes
    odds: Floats,
    best: Doubles,
    forward: Doubles,
    scales: Doubles,
    lasts: Longs,
    end: int,
    rows: Floats,
) -> None:
    """Fill `rows (B, V)`; `scales` are over the prefix' own probability."""
    frames, vocab_size = odds.shape
    for row in range(len(lasts)):
        ends = forward[row]
        behind, offset = _behind(best, ends)
        sums = _entered(odds, ends, behind, lasts[row])
        scale = scales[row]
        for token in range(vocab_size):
            rows[row, token] = _log(sums[token], offset + scale)
        rows[row, end] = max(_log(ends[0, frames] + ends[1, frames], best[frames] + scale), FLOOR)


@compiled
def _log(probability: float, scale: float) -> float:
    """Take the logarithm and add `scale`; rounding never lifts the sum above 0."""
    if probability > 0.0:
        return min(math.log(probability) + scale, 0.0)
    return -math.inf


@compiled
def _behind(best: Doubles, ends: Doubles) -> tuple[Doubles, float]:
    """Compare each frame's best alignment with that up to where the prefix ends likeliest.

    Returns:
        The quotients, and the logarithm of the latter.
    """
    peak = 0
    for t in range(len(best) - 1):
        if ends[0, t] + ends[1, t] > ends[0, peak] + ends[1, peak]:
            peak = t
    behind = np.empty(len(best) - 1)
    for t in range(len(behind)):
        behind[t] = math.exp(min(best[t + 1] - best[peak + 1], _STEEPEST))
    return behind, best[peak + 1]


@compiled
def _entered(odds: Floats, ends: Doubles, behind: Doubles, last: int) -> Doubles:
    """Sum the probability `(V,)` of each next token over all frames at which it may begin."""
    frames, vocab_size = odds.shape
    weights = (ends[0, :frames] + ends[1, :frames]) * behind
    enough = weights.max() * _NEGLIGIBLE
    sums, again = np.zeros(vocab_size), 0.0
    for t in range(frames):
        if weights[t] > enough:
            for token in range(vocab_size):
                sums[token] += weights[t] * odds[t, token]
            again += ends[1, t] * behind[t] * odds[t, last]
    if last != _NO_TOKEN:
        sums[last] = again  # the same token once more wants a blank between
    return sums


@compiled
def _extend(  # as above
    odds: Floats,
    before: Doubles,
    lasts: Longs,
    parents: Longs,
    tokens: Longs,
    forward: Doubles,
    scales: Doubles,
) -> None:
    """Fill `forward (B, 2, N + 1)`; add the logarithm of each one's divisor to its scale."""
    for row in range(len(tokens)):
        parent, token = parents[row], tokens[row]
        highest = _aligned(odds, before[parent], token, lasts[parent] == token, forward[row])
        if highest > 0.0:
            forward[row] /= highest
            scales[row] += math.log(highest)


@compiled
def _aligned(odds: Floats, before: Doubles, token: int, repeats: bool, after: Doubles) -> float:
    """Fill `after (2, N + 1)` from `before`; returns its highest."""
    token_end, blank_end, highest = 0.0, 0.0, 0.0
    after[:, 0] = 0.0
    for t in range(len(odds)):
        entering = before[1, t] if repeats else before[0, t] + before[1, t]
        blank_end = (token_end + blank_end) * odds[t, CTC_BLANK]
        token_end = (token_end + entering) * odds[t, token]
        token_end = token_end if token_end > _TINY else 0.0
        blank_end = blank_end if blank_end > _TINY else 0.0
        after[0, t + 1], after[1, t + 1] = token_end, blank_end
        highest = max(highest, token_end + blank_end)
    return highest
