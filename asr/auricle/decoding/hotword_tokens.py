"""Turns hotwords into tries over the tokens of a vocabulary."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from auricle.decoding.hotword_trie import HotwordTrie, Phrase
from auricle.tokenizer import Vocabulary
from auricle_types.errors import InvalidOptionError
from auricle_types.hotwords import Hotword
from auricle_types.quoting import quoted
from auricle_types.transcript import gap

MOST_NODES = 300_000  # of the tries that are kept, some 100 MB; 1,000 names have about 3,000
MOST_TRIES = 256
_SPACES = ("\u0120", "\u2581")  # as byte pairs and SentencePiece write it


class HotwordTries:
    """Makes the trie of each list of hotwords, and keeps the latest for the pieces to come.

    Safe to use from many threads.
    """

    def __init__(self, vocabulary: Vocabulary, vocab_size: int) -> None:
        """Take the tokens from `vocabulary`, but for those that a model of `vocab_size` lacks."""
        self._vocabulary = vocabulary
        self._vocab_size = vocab_size
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Hotword, ...], HotwordTrie] = OrderedDict()

    def of(self, hotwords: tuple[Hotword, ...]) -> HotwordTrie:
        """Return a trie. Raises InvalidOptionError for a phrase that the model cannot write."""
        with self._lock:
            found = self._kept.get(hotwords)
        if found is None:
            phrases = (phrase for each in hotwords for phrase in self.phrases(each))
            found = HotwordTrie(phrases, self._continues_word)
        with self._lock:
            self._keep(hotwords, found)
        return found

    def _keep(self, hotwords: tuple[Hotword, ...], trie: HotwordTrie) -> None:
        self._kept[hotwords] = trie
        self._kept.move_to_end(hotwords)
        nodes = sum(map(len, self._kept.values()))
        while len(self._kept) > 1 and (nodes > MOST_NODES or len(self._kept) > MOST_TRIES):
            _, oldest = self._kept.popitem(last=False)
            nodes -= len(oldest)

    @cached_property
    def _impossible(self) -> frozenset[int]:
        special = self._vocabulary.special
        return frozenset(special.suppressed) | {special.end}

    def phrases(self, hotword: Hotword) -> list[Phrase]:
        """Return the ways to write a hotword: as it is given, in lower case, with capitals.

        Raises InvalidOptionError: the vocabulary lacks some of its characters.
        """
        text = hotword.phrase
        ways = {tuple(self._encode(way)): None for way in _spellings(text)}
        possible = [tokens for tokens in ways if self._is_possible(tokens)]
        if not possible:
            raise InvalidOptionError(
                f"the model cannot write the hotword {quoted(text)}: spell it as it is spoken"
            )
        ends_word = not _is_unspaced(text[-1])
        return [Phrase(tokens, hotword.weight, ends_word) for tokens in possible]

    def _is_possible(self, tokens: Sequence[int]) -> bool:
        is_known = len(tokens) > 0 and max(tokens) < self._vocab_size
        return is_known and self._impossible.isdisjoint(tokens)

    def _encode(self, text: str) -> Sequence[int]:
        """Encode text as it stands behind a space, unless its script has none."""
        plain = self._vocabulary.encode(text)
        if _is_unspaced(text[0]) or (plain and self._begins_word(plain[0])):
            return plain
        return self._vocabulary.encode(f" {text}")

    def _begins_word(self, token: int) -> bool:
        return self._vocabulary.piece(token).startswith(_SPACES)

    @cached_property
    def _continues_word(self) -> npt.NDArray[np.bool_]:
        """The tokens `(V,)` that begin with a letter or digit, with no space before it."""
        found = np.zeros(self._vocab_size, bool)
        for token in range(min(self._vocabulary.vocab_size, self._vocab_size)):
            found[token] = _continues_word(self._vocabulary.piece(token))
        return found


def _continues_word(piece: str) -> bool:
    if piece.startswith(_SPACES):
        return False
    return piece[:1].isalnum() or not piece.isascii()  # byte pairs write no letter as two signs


def _spellings(text: str) -> Iterator[str]:
    lower = text.lower()
    yield from (text, lower, lower[0].upper() + lower[1:])
    yield " ".join(word[0].upper() + word[1:] for word in lower.split())


def _is_unspaced(character: str) -> bool:
    return not gap(character, character)
