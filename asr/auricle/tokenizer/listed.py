"""Whisper's vocabulary as CTranslate2 lists it: all tokens in the order of their ids."""

from collections.abc import Sequence

from auricle.tokenizer.byte_pairs import all_merges, serialize
from auricle.tokenizer.whisper import WhisperTokenizer

_FIRST_ADDED = "<|endoftext|>"  # all tokens before it are text


def listed_tokenizer(tokens: Sequence[str]) -> WhisperTokenizer:
    """The vocabulary that `tokens` are; the list needs no merges, for they follow from it.

    Raises:
        ValueError: a token comes twice, or none of them ends a text.
        TypeError: they are no text.
    """
    ids = {token: number for number, token in enumerate(tokens)}
    if not all(isinstance(token, str) for token in tokens):
        raise TypeError("a token is no text")
    if len(ids) < len(tokens) or _FIRST_ADDED not in ids:
        raise ValueError(f"a token comes twice, or {_FIRST_ADDED} is missing")
    first = ids[_FIRST_ADDED]
    text, added = dict(list(ids.items())[:first]), dict(list(ids.items())[first:])
    return WhisperTokenizer(serialize(text, all_merges(text), added))
