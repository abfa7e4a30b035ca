"""Text to token ids and back, and what decoding must know of a vocabulary."""

from auricle.tokenizer.sentencepiece import Tokenizer
from auricle.tokenizer.vocabulary import Vocabulary

__all__ = ["Tokenizer", "Vocabulary"]
