"""Text to token ids and back, and what decoding must know of a vocabulary."""

from auricle.tokenizer.sentencepiece import Tokenizer
from auricle.tokenizer.vocabulary import SpecialTokens, Vocabulary

__all__ = ["SpecialTokens", "Tokenizer", "Vocabulary"]
