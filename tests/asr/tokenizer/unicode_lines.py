"""Mixed text of all scripts, and a vocabulary of Whisper: helpers for tests, no tests."""

import functools
from itertools import islice

import numpy as np

from auricle.families.whisper.openai_vocabulary import (
    _added,
    _asset,
    _ranks,
    _written,
    openai_tokenizer,
)
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.tokenizer.byte_pairs import all_merges, serialize

# First and last code point of blocks, the more common ones more often.
BLOCKS = (
    *[(0x20, 0x7E)] * 8,
    *[(0xA0, 0x24F)] * 2,
    (0x300, 0x36F),
    (0x370, 0x3FF),
    (0x400, 0x4FF),
    (0x5D0, 0x5EA),
    (0x600, 0x6FF),
    (0x900, 0x97F),
    (0xE00, 0xE5B),
    (0x1100, 0x11FF),
    (0x2000, 0x206F),
    (0x20A0, 0x20BF),
    (0x2640, 0x267F),
    (0x3040, 0x30FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0x1F300, 0x1F64F),
)
WORDS = (
    *("the", "don't", "I'll", "3.14", "of", "", "and,", "", "hello\tworld", "\n\nnew", "line"),
    *("...", "it's", "WE'RE", "12345", "naïve"),
)


def lines(count: int, seed: int = 0) -> list[str]:
    """So many lines, always the same for a seed."""
    random = np.random.default_rng(seed)
    return [_line(random) for _ in range(count)]


def _line(random: np.random.Generator) -> str:
    parts = []
    for _ in range(random.integers(1, 8)):
        if random.random() < 0.4:
            parts.append(WORDS[random.integers(len(WORDS))])
        else:
            first, last = BLOCKS[random.integers(len(BLOCKS))]
            codes = random.integers(first, last + 1, random.integers(1, 9))
            parts.append("".join(map(chr, codes.tolist())))
    return [" ", "", "  "][random.integers(3)].join(parts)


@functools.cache
def vocabulary(*, multilingual: bool = True, languages: int = 99) -> WhisperTokenizer:
    """As in the models of that kind."""
    return openai_tokenizer(multilingual=multilingual, languages=languages)


@functools.cache
def short_vocabulary(pieces: int = 1_000) -> WhisperTokenizer:
    """The first pieces of the multilingual one and all of its marks: read in no time."""
    ranks = dict(islice(_ranks(_asset("multilingual")).items(), pieces))
    vocab = {_written(token): rank for token, rank in ranks.items()}
    return WhisperTokenizer(serialize(vocab, all_merges(vocab), _added(pieces, languages=99)))
