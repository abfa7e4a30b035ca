"""The pieces of a long audio, back together."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise

from auricle.transcript import Receipt, Recognition, Segment, Transcript

_WORDS_PER_SECOND = 5.0  # fast speech: how many words an overlap may hold


def join(
    recognitions: Sequence[Recognition],
    *,
    duration: float,
    warnings: tuple[str, ...] = (),
    model_id: str = "",
) -> Transcript:
    """One transcript of an audio of `duration` seconds.

    Where a piece overlaps the one before, words that both heard are said once.
    """
    segments = [recognition.segment for recognition in recognitions]
    for index, (_, later) in enumerate(pairwise(recognitions)):
        if later.overlap > 0:
            earlier = segments[index]
            segments[index : index + 2] = _merge(earlier, later.segment, later.overlap)
    receipt = merge_receipts([r.receipt for r in recognitions], model_id)
    return Transcript(tuple(s for s in segments if s.text), duration, receipt, warnings)


def merge_receipts(receipts: Sequence[Receipt], model_id: str) -> Receipt:
    """The slowest piece's figures, and the tokens of all."""
    if not receipts:
        return Receipt(model_id)
    return Receipt(
        model_id=model_id,
        queue_seconds=max(r.queue_seconds for r in receipts),
        encode_seconds=max(r.encode_seconds for r in receipts),
        decode_seconds=max(r.decode_seconds for r in receipts),
        batch_size=max(r.batch_size for r in receipts),
        padding_ratio=max(r.padding_ratio for r in receipts),
        tokens=sum(r.tokens for r in receipts),
    )


def _merge(earlier: Segment, later: Segment, overlap: float) -> tuple[Segment, Segment]:
    """Cut both texts at the words that they share; the cut words at the edges go with them."""
    before, after = earlier.text.split(), later.text.split()
    reach = int(overlap * _WORDS_PER_SECOND) + 1
    tail, head = before[-reach:], after[:reach]
    match = SequenceMatcher(None, tail, head, autojunk=False).find_longest_match()
    if match.size:
        before = before[: len(before) - len(tail) + match.a + match.size]
        after = after[match.b + match.size :]
    return (
        replace(earlier, text=" ".join(before)),
        replace(later, text=" ".join(after), start=later.start + overlap),
    )
