"""One item of a conversation: what was said in one turn, as far as it is known and was told."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from auricle_types.transcript import Segment, gap, joined


@dataclass(slots=True)
class RealtimeItem:
    """What was said from `start` seconds of the stream on; `told` was sent as deltas.

    A dropped item was cleared by the client, which hears no more of it.
    """

    start: float = 0.0
    end: float = 0.0
    id: str = field(default_factory=lambda: f"item_{uuid.uuid4().hex[:21]}")
    segments: list[Segment] = field(default_factory=list)
    told: str = ""
    committed: bool = False
    dropped: bool = False

    @property
    def text(self) -> str:
        """The text of the segments, which are final."""
        return joined(self.segments)

    def heard(self, stable: str) -> str:
        """Return the new text where `stable`, which never changes, follows the segments."""
        return self._new(self.text + gap(self.text, stable) + stable) if stable else ""

    def add(self, segment: Segment) -> str:
        """Add the next segment; return the new text."""
        self.segments.append(segment)
        return self._new(self.text)

    @property
    def message(self) -> dict[str, Any]:
        """Write the item as OpenAI does."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }

    def _new(self, whole: str) -> str:
        """Return what `whole` has beyond what was told, which is not taken back."""
        if not whole.startswith(self.told):
            return ""
        new, self.told = whole[len(self.told) :], whole
        return new
