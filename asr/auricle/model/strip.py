"""Utterances end to end in one long row: a batch almost without padding.

Every linear layer then computes what is there and little else. Each utterance is followed by zeros,
enough that no convolution reaches its neighbour, and starts where all strides begin anew; attention
stays within each utterance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model.attention import full_attention, masked_attention
from auricle.model.decoder_cache import whole
from auricle.model.masks import key_padding_mask
from auricle.model.rows import GROUP


@dataclass(frozen=True, slots=True)
class Strip:
    """Where each utterance lies. Frames are encoder frames."""

    starts: tuple[int, ...]
    lens: tuple[int, ...]
    size: int  # frames of the whole strip
    subsampling: int  # feature frames for each

    @classmethod
    def of(cls, x_lens: Sequence[int], config: TransformerConfig) -> "Strip":
        """Lay out utterances of `x_lens` feature frames."""
        lens = tuple(config.encoder_len(x_len) for x_len in x_lens)
        ends = list(accumulate(length + config.gap for length in lens))
        return cls((0, *ends[:-1]), lens, whole(ends[-1], GROUP), config.subsampling)

    @property
    def padding_ratio(self) -> float:
        """Share of the frames that is no speech."""
        return 1 - sum(self.lens) / self.size

    def lay(self, xs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Features `(T_i, n_mels)` of each -> `x (1, T, n_mels)` and its mask `(1, T)`."""
        frames = self.size * self.subsampling
        x = xs[0].new_zeros(1, frames, xs[0].shape[1])
        mask = torch.zeros(1, frames, dtype=torch.bool, device=x.device)
        for start, each in zip(self.starts, xs, strict=True):
            here = slice(start * self.subsampling, start * self.subsampling + len(each))
            x[0, here] = each
            mask[0, here] = True
        return x, mask

    def positions(self, device: torch.device) -> Tensor:
        """`(N,)`, counted anew in each utterance; zero between them."""
        positions = torch.zeros(self.size, dtype=torch.long, device=device)
        for start, length in self._spans():
            positions[start : start + length] = torch.arange(length, device=device)
        return positions

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention within each utterance: `(1, H, N, D // H)` each.

        One after the other on a CPU, which then computes no padding; side by side elsewhere, where
        starting a kernel costs more than the padding.
        """
        if query.device.type == "cpu":
            return self._attend_in_turn(query, key, value)
        return self._attend_together(query, key, value)

    def _attend_in_turn(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        attended = torch.zeros_like(query)
        for start, length in self._spans():
            here = slice(start, start + length)
            attended[0, :, here] = full_attention(
                query[0, :, here], key[0, :, here], value[0, :, here]
            )
        return attended

    def _attend_together(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        starts, lens = (
            torch.tensor(each, device=query.device) for each in (self.starts, self.lens)
        )
        steps = torch.arange(max(self.lens), device=query.device)
        frames = (starts[:, None] + steps).clamp(max=self.size - 1)  # (B, N)
        mask = key_padding_mask(lens, len(steps))
        padded = [x[0][:, frames].transpose(0, 1) for x in (query, key, value)]  # (B, H, N, D // H)
        together = masked_attention(*padded, mask=mask).transpose(0, 1)
        attended = torch.zeros_like(query)
        real = mask[:, 0, 0]
        attended[0][:, frames[real]] = together[:, real]
        return attended

    def cut(self, encoder_out: Tensor) -> list[Tensor]:
        """`encoder_out (1, N, D)` -> `(N_i, D)` of each utterance."""
        return [encoder_out[0, start : start + length] for start, length in self._spans()]

    def _spans(self) -> "zip[tuple[int, int]]":
        return zip(self.starts, self.lens, strict=True)
