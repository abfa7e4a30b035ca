"""Cuts the vocabulary of Whisper: the bytes, its first merges and its special tokens stay."""

import json

from auricle.families.family import VocabularyCut
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.tokenizer.byte_pairs import Pair, serialize
from auricle.tokenizer.languages import LANGUAGES
from auricle_types.errors import InvalidOptionError

_BYTES = 256  # tokens before the first merge (Radford et al. 2019)


def cut_vocabulary(tokenizer: WhisperTokenizer, merges: int) -> VocabularyCut[WhisperTokenizer]:
    """Keep the first `merges`, the most frequent pieces; marks and times move up behind them.

    Names of languages go where the model knows English alone. Raises InvalidOptionError where
    there are no so many merges.
    """
    most = tokenizer.end - _BYTES
    if not 1 <= merges <= most:
        raise InvalidOptionError(f"vocabulary must be 1 to {most} merges, not {merges}")
    text = _BYTES + merges
    kept = (*range(text), *_marks(tokenizer))
    return VocabularyCut(WhisperTokenizer(_serialized(tokenizer, text, kept)), kept)


def _marks(tokenizer: WhisperTokenizer) -> list[int]:
    names = {tokenizer.added.get(f"<|{code}|>") for code in LANGUAGES}
    unused = set() if tokenizer.multilingual else names
    return [token for token in range(tokenizer.end, tokenizer.vocab_size) if token not in unused]


def _serialized(tokenizer: WhisperTokenizer, text: int, kept: tuple[int, ...]) -> bytes:
    model = json.loads(tokenizer.serialized)["model"]
    vocab = {piece: token for piece, token in model["vocab"].items() if token < text}
    pairs = [pair for pair in map(_pair, model["merges"]) if {*pair, "".join(pair)} <= vocab.keys()]
    number = {old: new for new, old in enumerate(kept)}
    marks = {name: number[token] for name, token in tokenizer.added.items() if token in number}
    return serialize(vocab, pairs, marks)


def _pair(merge: str | list[str]) -> Pair:
    """Read a pair as older files write it, in one string, or as newer ones do."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right
