"""What is kept of an utterance until its end, to find out when its words were said."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.model import Decoder

Places = Sequence[tuple[int, int]]  # of heads: layer, and head in it


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """What the decoder remembers, and what CTC hears."""

    decoder: Decoder
    memory: Tensor  # (layers, 2, H, N, D // H) as `Decoder.memorise` gives it
    ctc_log_probs: Tensor | None  # (N, V) on the host; None: the model has no such head
    frames: int  # of the audio; those behind them are silence that was added

    @torch.inference_mode()
    def read(self, tokens: Sequence[int], heads: Places) -> tuple[Tensor, Tensor]:
        """Feed `tokens` once more, all together, and look where the `heads` look.

        Returns:
            Their weights `(H, U, frames)`, after softmax over these frames, and the logits of the
            token after each: `(U, V)`. In float32 on the host.
        """
        watched = [_Watched(*layer) for layer in self.memory.unbind()]
        fed = torch.tensor([list(tokens)], device=self.memory.device)
        decoder_out = self.decoder.read(fed, watched)
        scores = torch.stack([watched[layer].scores[head] for layer, head in heads])
        weights = scores[..., : self.frames].softmax(dim=-1)
        return weights.cpu(), self.decoder.logits(decoder_out)[0].float().cpu()


class _Watched:
    """A `Recall` of one layer that keeps its scores `(H, U, N)`, in float32."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._keys, self._values = keys.float(), values.float()  # (H, N, D // H)
        self.scores = torch.empty(0)

    def __call__(self, query: Tensor) -> Tensor:
        scaled = query[0].float() / math.sqrt(query.shape[-1])
        self.scores = scaled @ self._keys.transpose(1, 2)
        return (self.scores.softmax(dim=-1) @ self._values)[None].to(query.dtype)
