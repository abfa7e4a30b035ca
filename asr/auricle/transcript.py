"""The recognition of one piece of audio, beside the shared nouns of an answer."""

from dataclasses import dataclass

from auricle.agreement import Wording
from auricle_types.transcript import Receipt, Segment, joined


@dataclass(frozen=True, slots=True)
class Recognition:
    """The result for one piece: one segment, or several where the model predicts times."""

    segments: tuple[Segment, ...]
    receipt: Receipt
    overlap: float = 0.0  # seconds at the piece's start that the piece before covers, too
    warnings: tuple[str, ...] = ()
    wording: Wording | None = None  # of an interim result, where its words may become stable

    @property
    def text(self) -> str:
        """The text joins all segments."""
        return joined(self.segments)
