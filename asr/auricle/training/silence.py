"""The silence behind an utterance that some models are given, too."""

import torch
from torch import Tensor
from torch.nn import functional as F

from auricle.config import ModelConfig
from auricle.model.masks import length_mask


def with_silence(samples: Tensor, lens: Tensor, config: ModelConfig) -> tuple[Tensor, Tensor]:
    """`samples (B, S)`, `lens (B,)`, each row as long as `config.encoded_samples` says.

    What a whole window has no place for, as slower speech may, is cut off.
    """
    most = config.window if config.transformer.max_frames else torch.inf
    lengths = [min(config.encoded_samples(length), most) for length in lens.tolist()]
    longer = torch.tensor(lengths, dtype=torch.long, device=lens.device)
    silent = samples.masked_fill(~length_mask(lens, samples.shape[1]), 0.0)
    return F.pad(silent, (0, int(longer.max()) - samples.shape[1])), longer  # or cut
