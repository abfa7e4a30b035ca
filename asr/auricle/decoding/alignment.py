"""Where the CTC head places tokens in time: its own best ones, or given ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torchaudio.functional import forced_align, merge_tokens

from auricle.config import CTC_BLANK


@dataclass(frozen=True, slots=True)
class Span:
    """A token on a path through the CTC head's posteriors."""

    token: int
    start: int  # its first encoder frame
    end: int  # the frame behind its last
    probability: float  # mean over its frames


def greedy_spans(ctc_log_probs: Tensor) -> tuple[Span, ...]:
    """Join the best token of each frame of `(N, V)`, without blanks."""
    log_probs, path = ctc_log_probs.max(dim=-1)
    return _spans(path, log_probs)


def aligned_spans(ctc_log_probs: Tensor, tokens: Sequence[int]) -> tuple[Span, ...]:
    """Find the likeliest path that spells `tokens`: forced alignment (Graves et al. 2006).

    Where paths tie exactly, torchaudio may take a worse one (pytorch/audio#4221); the posteriors
    of a trained head do not tie.

    Args:
        ctc_log_probs: `(N, V)`.
        tokens: the text, without blanks.

    Returns:
        A span for each token; none at all when they do not fit into the frames, of which equal
        neighbours need one more for the blank between them.
    """
    repeats = sum(earlier == later for earlier, later in pairwise(tokens))
    if not tokens or len(tokens) + repeats > len(ctc_log_probs):
        return ()
    targets = torch.tensor([list(tokens)], dtype=torch.int32)
    path, log_probs = forced_align(ctc_log_probs[None], targets, blank=CTC_BLANK)
    return _spans(path[0], log_probs[0])


def _spans(path: Tensor, log_probs: Tensor) -> tuple[Span, ...]:
    """Join the frames of a path, given each frame's token and log-probability, `(N,)` each."""
    merged = merge_tokens(path, log_probs.exp(), blank=CTC_BLANK)
    return tuple(Span(each.token, each.start, each.end, each.score) for each in merged)
