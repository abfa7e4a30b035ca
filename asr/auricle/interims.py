"""The interim results of one session: requests for the newest audio, one at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from auricle.agreement import LocalAgreement, Wording
from auricle.hypothesis import Hypothesis
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_types.events import Interim

KeepTogether = Callable[[float, float], bool]  # the start of a piece, and until when

_STAYS = 0.82  # of the words that are not stable, the share that stays (make bench-live)


class Interims:
    """Keeps the books of the drafts of the utterance that is open.

    While a request is under way, newer drafts wait, and only the newest of them is kept. So under
    load results come less often, and no queue grows.
    """

    def __init__(self, keep_together: KeepTogether) -> None:
        """`keep_together` promises that a piece is not cut within its stable words, if it can."""
        self._keep_together = keep_together
        self._newest: Piece | None = None
        self._asked: Piece | None = None
        self._future: Future[Recognition] | None = None
        self._start: float | None = None  # of the open piece
        self._agreement = LocalAgreement()
        self._shown = ("", "")

    def offer(self, draft: Piece) -> None:
        """Take a newer draft."""
        if draft.start != self._start:
            self._begin(draft.start)
        self._newest = draft

    def next(self) -> Piece | None:
        """Return the draft to recognise now, which is then asked for; None: there is none."""
        if self._asked is not None or self._newest is None:
            return None
        self._asked, self._newest = replace(self._newest, prefix=self._agreement.prefix), None
        return self._asked

    def sent(self, future: Future[Recognition]) -> None:
        """Wait for the result of what was asked for."""
        self._future = future
        if self._asked is None or self._asked.start != self._start:
            self._drop()  # the piece was closed meanwhile

    def refused(self) -> None:
        """Give up what was asked for: the engine takes no more now. The next draft may be taken."""
        self._asked = None

    def result(self) -> tuple[Piece, Recognition] | None:
        """Return what was recognised, if it has come and is still wanted.

        A failure is nobody's concern: the final request for the same audio will tell.
        """
        piece, future = self._asked, self._future
        if piece is None or future is None or not future.done():
            return None
        self._asked = self._future = None
        if piece.start != self._start or future.cancelled() or future.exception() is not None:
            return None
        return piece, future.result()

    def interim(self, piece: Piece, text: str, wording: Wording | None) -> Interim | None:
        """Return the event for the text of a draft; None where nothing has changed.

        Without a `wording` none of its words become stable.
        """
        if wording is not None and not piece.overlap:
            text = wording.text
            self._agree(piece, wording)
        stable = self._agreement.text
        if not text or (text, stable) == self._shown:
            return None
        self._shown = text, stable
        return Interim(piece.start, text, stable, _stability(text, stable))

    def stop(self) -> None:
        """Drop the drafts: nobody speaks any more, and the final request comes next."""
        self._drop()
        self._newest = None

    def close(self, piece: Piece | None = None) -> Hypothesis | None:
        """Forget the open utterance; return the tokens with which its `piece` must begin."""
        self.stop()
        prefix = self._agreement.prefix
        belongs = piece is not None and piece.start == self._start
        self._begin(None)
        return prefix if belongs else None

    def _begin(self, start: float | None) -> None:
        self._start, self._agreement, self._shown = start, LocalAgreement(), ("", "")

    def _drop(self) -> None:
        if self._future is not None:
            self._future.cancel()
            self._asked = self._future = None

    def _agree(self, piece: Piece, wording: Wording) -> None:
        agreement = self._agreement
        count = agreement.agreed(wording)
        known = len(agreement.prefix.tokens) if agreement.prefix is not None else 0
        if count > known and self._keep_together(piece.start, agreement.last_end):
            agreement.accept(wording, count)
        agreement.remember(wording, piece.end)


def _stability(text: str, stable: str) -> float:
    """Return the share of the text that will stay, by experience."""
    open_share = 1.0 - len(stable) / len(text)
    return 1.0 - (1.0 - _STAYS) * open_share
