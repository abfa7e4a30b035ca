"""An encoded utterance: what is kept of it until its end, to find out when its words were said."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.model import Decoder

Heads = Sequence[tuple[int, int]]  # the layer of each, and its number in the layer


@dataclass(frozen=True, slots=True, eq=False)
class EncodedUtterance:
    """The cross-attention state of an utterance, and the posteriors of the CTC head."""

    decoder: Decoder
    memory: Tensor  # (layers, 2, H, N, D // H) as `Decoder.project_memory` gives it
    ctc_log_probs: Tensor | None  # (N, V) on the host; None: the model has no such head
    frames: int  # of the audio; those behind them are silence that was added

    @torch.inference_mode()
    def attend(self, tokens: Sequence[int], heads: Heads) -> tuple[Tensor, Tensor]:
        """Run the decoder over all of `tokens` at once and read the cross-attention of `heads`.

        Returns:
            Their weights `(H, U, frames)`, after softmax over these frames, and the logits of the
            token after each: `(U, V)`. In float32 on the host.
        """
        recorders = [_ScoreRecorder(*layer) for layer in self.memory.unbind()]
        prompt = torch.tensor([list(tokens)], device=self.memory.device)
        decoder_out = self.decoder.read(prompt, recorders)
        scores = torch.stack([recorders[layer].scores[head] for layer, head in heads])
        weights = scores[..., : self.frames].softmax(dim=-1)
        return weights.cpu(), self.decoder.logits(decoder_out)[0].float().cpu()


def heads_of_layers(encoded: EncodedUtterance, layers: Iterable[int]) -> Heads:
    """List all cross-attention heads of these layers."""
    heads = encoded.memory.shape[2]
    return [(layer, head) for layer in layers for head in range(heads)]


class _ScoreRecorder:
    """A `CrossAttend` of one layer that keeps its scores `(H, U, N)`, in float32."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._keys, self._values = keys.float(), values.float()  # (H, N, D // H)
        self.scores = torch.empty(0)

    def __call__(self, query: Tensor) -> Tensor:
        scaled = query[0].float() / math.sqrt(query.shape[-1])
        self.scores = scaled @ self._keys.transpose(1, 2)
        return (self.scores.softmax(dim=-1) @ self._values)[None].to(query.dtype)
