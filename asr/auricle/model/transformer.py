"""Encoder, decoder and maybe a CTC head in one module: what a checkpoint holds the weights of."""

from typing import Any

import torch
from torch import Tensor, nn

from auricle.config import ModelConfig
from auricle.model.decoder import Decoder
from auricle.model.encoder import Encoder
from auricle.model.linear import Linear
from auricle.model.overriding import Call, Overriding
from auricle_types.errors import InvalidOptionError


class SpeechTransformer(nn.Module):
    """The whole model; its dimensions are `config`'s and nothing else's."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.features.n_mels, config.transformer)
        self.decoder = Decoder(config.transformer)
        if config.transformer.ctc:
            self.ctc = Linear(config.transformer.d_model, config.transformer.vocab_size)

    def forward(self, x: Tensor, x_lens: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both heads under teacher forcing.

        Args:
            x: features `(B, T, n_mels)`.
            x_lens: valid frames `(B,)`.
            tokens: decoder input `(B, U)`, the first one START.

        Returns:
            Decoder logits `(B, U, V)`, CTC logits `(B, N, V)`, `encoder_out_lens (B,)`.

        Raises:
            InvalidOptionError: it has no CTC head.
        """
        if not self.config.transformer.ctc:
            raise InvalidOptionError(f"{self.config.name} has no CTC head")
        encoder_out, encoder_out_lens = self.encoder(x, x_lens)
        logits = self.decoder(tokens, encoder_out, encoder_out_lens)
        return logits, self.ctc(encoder_out), encoder_out_lens


def skeleton(config: ModelConfig) -> SpeechTransformer:
    """A model that has dimensions and no weights yet, on the meta device."""
    with torch.device("meta"), Overriding(_without_initial_values):
        return SpeechTransformer(config)


def is_finite(weight: Tensor) -> bool:
    """Whether a tensor, not an empty one, has neither NaN nor infinity; makes no copy of it."""
    return all(bool(extreme.isfinite()) for extreme in weight.aminmax())


def _without_initial_values(func: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    """Skips `torch.nn.init`, which imports torch's compiler on the meta device, in seconds."""
    if getattr(func, "__module__", None) == "torch.nn.init":
        return kwargs["tensor"] if "tensor" in kwargs else args[0]
    return func(*args, **kwargs)
