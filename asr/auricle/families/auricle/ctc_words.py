"""Finds when each word was said: forced alignment by the CTC head, then tokens join to words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from auricle.decoding.alignment import Span, aligned_spans
from auricle.tokenizer import Tokenizer
from auricle_types.transcript import Word


def ctc_words(
    ctc_log_probs: Tensor, tokens: Sequence[int], tokenizer: Tokenizer, frame_seconds: float
) -> tuple[Word, ...]:
    """Find the words, in seconds from the start of the audio.

    Args:
        ctc_log_probs: those of one utterance, `(N, V)`.
        tokens: the text, without special tokens.
        tokenizer: the one that made the tokens.
        frame_seconds: the time from one encoder frame to the next.

    Returns:
        The words, in order; none at all where their tokens do not fit into the frames.
    """
    words: list[list[Span]] = []
    for span in aligned_spans(ctc_log_probs, tokens):
        if tokenizer.begins_word(span.token) or not words:
            words.append([])
        words[-1].append(span)
    made = (_word(spans, tokenizer, frame_seconds) for spans in words)
    return tuple(word for word in made if word.text)


@dataclass(frozen=True, slots=True)
class CtcAligner:
    """A `WordAligner` for the models with this tokenizer."""

    tokenizer: Tokenizer
    frame_seconds: float  # from one encoder frame to the next

    def words(self, ctc_log_probs: Tensor, tokens: Sequence[int]) -> tuple[Word, ...]:
        """Find the words, as `ctc_words` does."""
        return ctc_words(ctc_log_probs, tokens, self.tokenizer, self.frame_seconds)


def _word(spans: Sequence[Span], tokenizer: Tokenizer, frame_seconds: float) -> Word:
    return Word(
        start=spans[0].start * frame_seconds,
        end=spans[-1].end * frame_seconds,
        text=tokenizer.decode([span.token for span in spans]),
        confidence=math.fsum(span.probability for span in spans) / len(spans),
    )
