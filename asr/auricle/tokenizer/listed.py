"""Reads a byte-level vocabulary as CTranslate2 lists it: all tokens in the order of their ids."""

from collections.abc import Sequence

from auricle.tokenizer.byte_pairs import all_merges, serialize

_FIRST_ADDED = "<|endoftext|>"  # all tokens before it are text


def list_to_json(tokens: Sequence[str]) -> bytes:
    """Write a `tokenizer.json` of the vocabulary `tokens`; its merges follow from them.

    Raises:
        ValueError: a token comes twice, or none of them ends a text.
        TypeError: they are no text.
    """
    if not all(isinstance(token, str) for token in tokens):
        raise TypeError("a token is no text")
    ids = {token: number for number, token in enumerate(tokens)}
    if len(ids) < len(tokens) or _FIRST_ADDED not in ids:
        raise ValueError(f"a token comes twice, or {_FIRST_ADDED} is missing")
    first = ids[_FIRST_ADDED]
    text = {token: number for token, number in ids.items() if number < first}
    added = {token: number for token, number in ids.items() if number >= first}
    return serialize(text, all_merges(text), added)
