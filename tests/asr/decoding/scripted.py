"""A decoder whose every probability is known: a helper for tests, no tests."""

import functools
import zlib
from collections.abc import Iterable, Sequence
from itertools import product
from typing import cast

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig
from auricle.decoding import BeamSearch, ContinuousDecoder
from auricle.decoding.logits_processors import token_log_probs
from auricle.decoding.search import Candidate
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder, new_cache
from auricle.model.decoder_cache import StepView
from auricle.tokenizer import Tokenizer

Prefix = tuple[int, ...]

WIDTH = 64  # more than the tokens of any hypothesis
NAN_SCRIPT = 99  # its probabilities are not finite after its second token


class ScriptedDecoder:
    """The next token's logits are random, but always the same for a script and a prefix.

    It follows the script `encoder_out[0, 0]`. What it was fed lies in the cache's values, where a
    real decoder has its own: so a cache that mixes up its slots gives wrong tokens.
    """

    config = TransformerConfig(d_model=WIDTH, n_heads=1, decoder_layers=1)
    embedding = nn.Embedding(1, 1)
    is_coarse = False
    output = None

    def __init__(self, vocab_size: int, end_bonus: float = 0.0, *, levels: float = 0.0) -> None:
        """Logits are multiples of `levels` where it is given: many are equal."""
        self.vocab_size = vocab_size
        self.end_bonus = end_bonus
        self.levels = levels
        self.rows: list[int] = []  # of each step
        self.following = functools.cache(self._following)

    def project_memory(self, encoder_outs: Sequence[Tensor]) -> list[Tensor]:
        """`(1, 2, 1, N, WIDTH)` of each."""
        return [out.expand(1, 2, 1, *out.shape) for out in encoder_outs]

    def step(self, tokens: Tensor, view: StepView) -> Tensor:
        """A query of zeros sees the mean of all values: a place has a dimension of its own."""
        self.rows.append(len(tokens))
        places = nn.functional.one_hot(view.positions, WIDTH)  # (B, WIDTH)
        value = (places * tokens[:, None])[:, None, None].float()
        query = torch.zeros_like(value)
        count = view.positions + 1
        fed = view.attend(0, query, query, value)[:, 0, 0] * count[:, None]
        scripts = view.cross_attend(0, query)[:, 0, 0, 0]
        rows = zip(scripts.round().int().tolist(), fed.round().int(), count, strict=True)
        return torch.stack([self.following(s, tuple(row[:n].tolist())) for s, row, n in rows])

    def prefill(self, tokens: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """As so many steps."""
        fed, script = tuple(tokens.tolist()), round(memory[0, 1, 0, :, 0].mean().item())
        values = tokens[:, None] * torch.eye(len(tokens), WIDTH)
        out = [self.following(script, fed[:count]) for count in range(1, len(fed) + 1)]
        return torch.stack(out), torch.stack([torch.zeros_like(values), values])[None, :, None]

    def logits(self, decoder_out: Tensor) -> Tensor:
        return decoder_out

    def logits_of(self, decoder_out: Tensor, tokens: Tensor) -> Tensor:
        return decoder_out.gather(1, tokens).float()

    def _following(self, script: int, prefix: Prefix) -> Tensor:
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
            logits = torch.stack([self.following(script, prefix) for prefix in prefixes])
            rows = token_log_probs(logits, Tokenizer.special.suppressed).sort(
                dim=-1, descending=True
            )
            pairs = zip(rows.values.tolist(), rows.indices.tolist(), strict=True)
            search.extend(shown(*(zip(*row, strict=True) for row in pairs)))
        return search.best()

    def log_prob(self, script: int, tokens: Sequence[int]) -> float:
        """Of `tokens`, by the definition, in float64."""
        total = 0.0
        prefix: Prefix = (Tokenizer.start_id,)
        for token in tokens:
            logits = self.following(script, prefix).double().clone()
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

    def continuous(self, *, slots: int, max_frames: int = 9) -> ContinuousDecoder:
        """Over a cache of its own."""
        cache = new_cache(self.decoder, slots=slots, max_frames=max_frames)
        return ContinuousDecoder(self.decoder, cache, special=Tokenizer.special)


def shown(*rows: Iterable[tuple[float, int]]) -> list[list[Candidate]]:
    """Log-probabilities and tokens of each live row, as a search is shown them."""
    return [[Candidate(*pair) for pair in row] for row in rows]


def script(number: int, frames: int = 40) -> Tensor:
    """`encoder_out (N, D)` of an utterance that follows this script."""
    return torch.full((frames, WIDTH), float(number))


def remembered(number: int, frames: int = 40) -> Tensor:
    """What `project_memory` gives for it."""
    return script(number, frames).expand(1, 2, 1, frames, WIDTH)
