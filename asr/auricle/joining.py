"""The pieces of a long audio, back together."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

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
    segments: list[Segment] = []
    for recognition in recognitions:
        segment = recognition.segment
        if segments and recognition.overlap > 0:
            segment = _without_repeats(segments[-1], segment, recognition.overlap)
        segments.append(segment)
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


def _without_repeats(earlier: Segment, later: Segment, overlap: float) -> Segment:
    """`later` from the end of the longest run of words that both heard in the overlap.

    The earlier segment stays as it is: a stream has sent it already.
    """
    reach = int(overlap * _WORDS_PER_SECOND) + 1
    tail, words = earlier.text.split()[-reach:], later.text.split()
    match = SequenceMatcher(None, tail, words[:reach], autojunk=False).find_longest_match()
    if match.size:
        words = words[match.b + match.size :]
    return replace(later, text=" ".join(words), start=later.start + overlap)
