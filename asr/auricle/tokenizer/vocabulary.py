"""What all tokenizers have in common."""

from collections.abc import Sequence
from typing import Protocol

from auricle.config import SpecialTokens


class Vocabulary(Protocol):
    """Text to token ids and back."""

    @property
    def serialized(self) -> bytes:
        """The whole of it; its class makes an equal one of these bytes."""
        ...

    @property
    def vocab_size(self) -> int:
        """Number of ids."""
        ...

    @property
    def special(self) -> SpecialTokens:
        """The ids that are no text."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, none of them special."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; special ids are silent."""
        ...

    def piece(self, token: int) -> str:
        """A token as the vocabulary writes it."""
        ...
