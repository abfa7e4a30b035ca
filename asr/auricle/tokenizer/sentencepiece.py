"""A tokenizer by SentencePiece, with the four special ids that our own models rely on."""

import io
from collections.abc import Iterable, Sequence
from typing import Self

import sentencepiece as spm

from auricle.config import SpecialTokens
from auricle_types.errors import InvalidOptionError

_SPACE = "\u2581"  # as SentencePiece writes it


class Tokenizer:
    """A SentencePiece model. Ids 0 to 3 are BLANK (CTC's, also padding), START, END and UNKNOWN."""

    blank_id = 0
    start_id = 1
    end_id = 2
    unknown_id = 3
    special = SpecialTokens((start_id,), end_id, (blank_id, start_id, unknown_id))

    def __init__(self, serialized: bytes) -> None:
        """Load a serialized SentencePiece model; raises RuntimeError if it is none."""
        self.serialized = serialized
        self._processor = spm.SentencePieceProcessor()
        self._processor.LoadFromSerializedProto(serialized)

    @classmethod
    def train(cls, sentences: Iterable[str], vocab_size: int) -> Self:
        """Learn a unigram vocabulary (Kudo 2018) of `vocab_size` pieces, special ids included.

        Raises InvalidOptionError when the sentences do not yield a vocabulary of this size.
        """
        model = io.BytesIO()
        try:
            spm.SentencePieceTrainer.Train(
                sentence_iterator=iter(sentences),
                model_writer=model,
                vocab_size=vocab_size,
                model_type="unigram",
                character_coverage=1.0,
                normalization_rule_name="identity",  # its tables would be most of the file
                pad_id=cls.blank_id,
                bos_id=cls.start_id,
                eos_id=cls.end_id,
                unk_id=cls.unknown_id,
                minloglevel=1,
            )
        except RuntimeError as error:
            raise InvalidOptionError(f"vocab_size={vocab_size}: {error}") from error
        return cls(model.getvalue())

    @property
    def vocab_size(self) -> int:
        """The number of ids."""
        return int(self._processor.GetPieceSize())

    def encode(self, text: str) -> list[int]:
        """Turn `text` into token ids, without START and END."""
        return list(self._processor.EncodeAsIds(text))

    def begins_word(self, token: int) -> bool:
        """Whether a space stands before it."""
        return self.piece(token).startswith(_SPACE)

    def piece(self, token: int) -> str:
        """Write a token as SentencePiece does: U+2581 begins a word."""
        return str(self._processor.IdToPiece(token))

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn `tokens` into text, without special ids."""
        words = [int(token) for token in tokens if token > self.unknown_id]
        return str(self._processor.DecodeIds(words)).strip()
