"""The interface that all tokenizers have in common."""

from collections.abc import Sequence
from typing import Protocol

from auricle.config import SpecialTokens


class Vocabulary(Protocol):
    """Turns text into token ids and back."""

    @property
    def serialized(self) -> bytes:
        """All of it as bytes, of which its class makes an equal one."""
        ...

    @property
    def vocab_size(self) -> int:
        """The number of ids."""
        ...

    @property
    def special(self) -> SpecialTokens:
        """The ids that are no text."""
        ...

    def encode(self, text: str) -> list[int]:
        """Turn `text` into token ids, none of them special."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn `tokens` into text, without special ids."""
        ...

    def piece(self, token: int) -> str:
        """Write a token as the vocabulary does."""
        ...
