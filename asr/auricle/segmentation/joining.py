"""Joins the recognitions of an audio's pieces to one transcript."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, product

from auricle.transcript import Recognition
from auricle_types.transcript import Receipt, Segment, Transcript, Word, joined

_WORDS_PER_SECOND = 5.0  # fast speech: how many words an overlap may hold


class Joiner:
    """Joins the recognitions of one audio as they come, in the order of time."""

    def __init__(self, model_id: str = "") -> None:
        """Begin with nothing; `model_id` is for the receipt."""
        self._model_id = model_id
        self._segments: list[Segment] = []
        self._last = ""  # text of the last recognition
        self._receipt = Receipt(model_id)
        self._warnings: list[str] = []

    def add(self, recognition: Recognition) -> list[Segment]:
        """Add the next recognition; return its segments, which are final, as far as they are new.

        Where its piece overlaps the one before, words that are in both come once.
        """
        new = self._new(recognition)
        self._segments += new
        self._last = joined(new)
        self._receipt = merge_receipts([self._receipt, recognition.receipt], self._model_id)
        self._warnings += recognition.warnings
        return [segment for segment in new if segment.text]

    def preview(self, recognition: Recognition) -> str:
        """Return the text that `add` would add."""
        return joined(self._new(recognition))

    def _new(self, recognition: Recognition) -> list[Segment]:
        new = list(recognition.segments)
        if self._segments and new and recognition.overlap > 0:
            new[0] = _without_repeats(self._last, new[0], recognition.overlap)
        return new

    def transcript(self, duration: float, warnings: tuple[str, ...] = ()) -> Transcript:
        """Return the transcript so far, of an audio of `duration` seconds.

        `warnings` are of the audio; those of the recognitions follow.
        """
        segments = tuple(segment for segment in self._segments if segment.text)
        return Transcript(segments, duration, self._receipt, (*warnings, *self._warnings))


def join(
    recognitions: Iterable[Recognition],
    *,
    duration: float,
    warnings: tuple[str, ...] = (),
    model_id: str = "",
) -> Transcript:
    """Join all recognitions of an audio of `duration` seconds."""
    joiner = Joiner(model_id)
    for recognition in recognitions:
        joiner.add(recognition)
    return joiner.transcript(duration, warnings)


def merge_receipts(receipts: Sequence[Receipt], model_id: str) -> Receipt:
    """Take the slowest piece's figures, the tokens of all, and each guard once."""
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
        guards=tuple(dict.fromkeys(guard for r in receipts for guard in r.guards)),
    )


def leading(words: Sequence[Word], text: str) -> int:
    """Count the first words that make up `text`, spaces apart: some languages write none."""
    letters = len(_letters(text))
    return sum(end <= letters for end in accumulate(len(_letters(word.text)) for word in words))


def _letters(text: str) -> str:
    return "".join(text.split())


def _without_repeats(earlier: str, later: Segment, overlap: float) -> Segment:
    """Take the words of the overlap that are in both out of `later`.

    The earlier text stays as it is: a stream has sent it already.
    """
    reach = int(overlap * _WORDS_PER_SECOND) + 1
    tail, words = earlier.split()[-reach:], later.text.split()
    repeated = _repeated(tail, words[:reach])
    return replace(
        later,
        text=" ".join(words[repeated:]),
        start=later.start + overlap,
        words=later.words[leading(later.words, " ".join(words[:repeated])) :],
        alternatives=(),  # which repeat words, too
    )


def _repeated(tail: list[str], head: list[str]) -> int:
    """Count the words of `head` that repeat `tail`: up to the end of the longest run in both.

    The run ends the one and begins the other, give or take a word at either edge: the cut goes
    through it. A word that both merely contain further inside is no repetition.
    """
    runs = [
        (size, -skipped)
        for lost, skipped in product((0, 1), repeat=2)
        for size in range(1, 1 + min(len(tail) - lost, len(head) - skipped))
        if tail[len(tail) - lost - size : len(tail) - lost] == head[skipped : skipped + size]
    ]
    size, skipped = max(runs, default=(0, 0))
    return size - skipped
