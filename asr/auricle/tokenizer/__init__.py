"""Tokenizers turn text into token ids and back, and name the special ids."""

from auricle.tokenizer.sentencepiece import Tokenizer
from auricle.tokenizer.vocabulary import Vocabulary

__all__ = ["Tokenizer", "Vocabulary"]
