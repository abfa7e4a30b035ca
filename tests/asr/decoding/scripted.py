"""A decoder whose every probability is known: a helper for tests, no tests."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

import torch
from torch import Tensor

from auricle.model import Decoder
from auricle.tokenizer import Tokenizer

Prefix = tuple[int, ...]


@dataclass
class ScriptedCache:
    """Each row's script and the tokens that it was fed."""

    scripts: list[int]
    prefixes: list[Prefix]

    def select(self, rows: Tensor) -> "ScriptedCache":
        picked = rows.tolist()
        return ScriptedCache(
            [self.scripts[row] for row in picked], [self.prefixes[row] for row in picked]
        )


class ScriptedDecoder:
    """The next token's logits are random, but always the same for a script and a prefix.

    `encoder_out[b, 0, 0]` says which script row `b` follows.
    """

    def __init__(self, vocab_size: int, end_bonus: float = 0.0) -> None:
        self.vocab_size = vocab_size
        self.end_bonus = end_bonus
        self.rows: list[int] = []  # of each step

    def start(self, encoder_out: Tensor, lens: Tensor, max_tokens: int) -> ScriptedCache:
        scripts = [int(row) for row in encoder_out[:, 0, 0]]
        return ScriptedCache(scripts, [()] * len(scripts))

    def step(self, tokens: Tensor, cache: ScriptedCache) -> Tensor:
        fed = zip(cache.prefixes, tokens.tolist(), strict=True)
        cache.prefixes = [(*prefix, token) for prefix, token in fed]
        self.rows.append(len(cache.prefixes))
        rows = zip(cache.scripts, cache.prefixes, strict=True)
        return torch.stack([self.logits(script, prefix) for script, prefix in rows])

    def logits(self, script: int, prefix: Prefix) -> Tensor:
        seed = zlib.crc32(repr((script, prefix)).encode())
        logits = torch.randn(self.vocab_size, generator=torch.Generator().manual_seed(seed))
        logits[Tokenizer.end_id] += self.end_bonus
        return 2 * logits

    def log_prob(self, script: int, tokens: Sequence[int]) -> float:
        """Of `tokens`, by the definition, in float64."""
        total = 0.0
        prefix: Prefix = (Tokenizer.start_id,)
        for token in tokens:
            logits = self.logits(script, prefix).double()
            logits[[0, 1, 3]] = -torch.inf
            total += float(logits.log_softmax(dim=-1)[token])
            prefix = (*prefix, token)
        return total

    def every_ending(self, limit: int) -> list[Prefix]:
        """All transcripts that END within `limit` steps, without their END."""
        words = range(Tokenizer.unknown_id + 1, self.vocab_size)
        return [tokens for length in range(limit) for tokens in product(words, repeat=length)]

    @property
    def decoder(self) -> Decoder:
        """Itself, as the searches want it."""
        return cast(Decoder, self)


def scripts(*numbers: int) -> tuple[Tensor, Tensor]:
    """`encoder_out, encoder_out_lens` for rows that follow these scripts."""
    return torch.tensor(numbers).float()[:, None, None], torch.ones(len(numbers), dtype=torch.long)
