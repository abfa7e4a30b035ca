"""A decoder whose every probability is known: a helper for tests, no tests."""

import functools
import zlib
from collections.abc import Sequence
from itertools import product
from typing import cast

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig
from auricle.decoding import BeamSearch
from auricle.decoding.filters import token_log_probs
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder, DecoderCache
from auricle.tokenizer import Tokenizer

Prefix = tuple[int, ...]

NAN_SCRIPT = 99  # its probabilities are not finite after its second token


class ScriptedDecoder:
    """The next token's logits are random, but always the same for a script and a prefix.

    It follows the script `encoder_out[0, 0]`. What it was fed lies in the cache's keys, where a
    real decoder has its own: so a cache that mixes up its slots gives wrong tokens.
    """

    config = TransformerConfig(d_model=2, n_heads=1, decoder_layers=1)
    embedding = nn.Embedding(1, 1)

    def __init__(self, vocab_size: int, end_bonus: float = 0.0, *, levels: float = 0.0) -> None:
        """Logits are multiples of `levels` where it is given: many are equal."""
        self.vocab_size = vocab_size
        self.end_bonus = end_bonus
        self.levels = levels
        self.rows: list[int] = []  # of each step
        self.logits = functools.cache(self._logits)

    def memorise(self, encoder_out: Tensor) -> tuple[Tensor, Tensor]:
        return encoder_out[None, None], encoder_out[None, None]  # (1, 1, N, 2)

    def step(self, tokens: Tensor, cache: DecoderCache) -> Tensor:
        self.rows.append(len(tokens))
        for slot, token in enumerate(tokens.tolist()):
            cache.self_keys[0, slot, 0, cache.lens[slot], 0] = token
        scripts = cache.cross_keys[0, : len(tokens), 0, 0, 0].int().tolist()
        fed = [
            tuple(cache.self_keys[0, slot, 0, : cache.lens[slot] + 1, 0].int().tolist())
            for slot in range(len(tokens))
        ]
        cache.advance(len(tokens))
        return torch.stack([self.logits(s, prefix) for s, prefix in zip(scripts, fed, strict=True)])

    def _logits(self, script: int, prefix: Prefix) -> Tensor:
        if script == NAN_SCRIPT and len(prefix) > 2:
            return torch.full((self.vocab_size,), torch.nan)
        seed = zlib.crc32(repr((script, prefix)).encode())
        logits = torch.randn(self.vocab_size, generator=torch.Generator().manual_seed(seed))
        logits[Tokenizer.end_id] += self.end_bonus
        return (logits / self.levels).round() * self.levels if self.levels else 2 * logits

    def search(self, script: int, search: BeamSearch) -> Hypothesis:
        """Run `search` with neither a cache nor anybody beside it, all tokens shown."""
        while not search.done:
            prefixes = [(Tokenizer.start_id, *h.tokens) for h in search.live]
            logits = torch.stack([self.logits(script, prefix) for prefix in prefixes])
            rows = token_log_probs(logits).sort(dim=-1, descending=True)
            pairs = zip(rows.values.tolist(), rows.indices.tolist(), strict=True)
            search.extend([list(zip(*row, strict=True)) for row in pairs])
        return search.best()

    def log_prob(self, script: int, tokens: Sequence[int]) -> float:
        """Of `tokens`, by the definition, in float64."""
        total = 0.0
        prefix: Prefix = (Tokenizer.start_id,)
        for token in tokens:
            logits = self.logits(script, prefix).double().clone()
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
        """Itself, as the continuous decoder wants it."""
        return cast(Decoder, self)


def script(number: int, frames: int = 40) -> Tensor:
    """`encoder_out (N, D)` of an utterance that follows this script."""
    return torch.full((frames, 2), float(number))
