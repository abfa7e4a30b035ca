"""Joint CTC and attention loss (Watanabe et al. 2017), per token."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SpecialTokens
from auricle.tokenizer import Tokenizer
from auricle.training.config import LossConfig

IGNORE = -100  # cross_entropy's padding


@dataclass(frozen=True, slots=True)
class Losses:
    """Means over the batch's tokens; `total` is what is minimised."""

    total: Tensor
    attention: Tensor
    ctc: Tensor | None = None  # the model has no such head
    teacher: Tensor | None = None  # there is none to learn from

    @property
    def heads(self) -> dict[str, float]:
        """Of each head that the model has, and the divergence from a teacher."""
        named = {"ctc": self.ctc, "attention": self.attention, "teacher": self.teacher}
        return {name: float(loss) for name, loss in named.items() if loss is not None}


@dataclass(frozen=True, slots=True)
class Share:
    """What a process' rows count for in the losses, of whose means the mean is taken."""

    ctc: float = 1.0
    attention: float = 1.0

    @classmethod
    def of(cls, texts: list[list[int]], batch: list[list[int]], processes: int) -> "Share":
        """Of `texts` in a `batch` that several processes divided among them."""
        ctc = processes * _ctc_tokens(texts) / _ctc_tokens(batch)
        return cls(ctc, processes * _attention_tokens(texts) / _attention_tokens(batch))


ALL = Share()  # a process that has the batch to itself


def joint_loss(
    model: nn.Module,
    x: Tensor,
    x_lens: Tensor,
    texts: list[list[int]],
    config: LossConfig,
    share: Share = ALL,
    special: SpecialTokens = Tokenizer.special,
) -> Losses:
    """Loss of a padded batch `x (B, T, n_mels)`, `x_lens (B,)` against its token ids.

    `model` is a SpeechTransformer, or one that gives the CTC logits of several layers, or of none:
    then attention is all. The decoder need not learn `special.start`, with which every text begins.
    """
    rows = [torch.tensor(text, dtype=torch.long, device=x.device) for text in texts]
    start, end = rows[0].new_tensor(special.start), rows[0].new_tensor([special.end])
    masked = torch.full_like(start[1:], IGNORE)
    inputs = pad_sequence([torch.cat([start, row]) for row in rows], True, special.end)
    targets = pad_sequence([torch.cat([masked, row, end]) for row in rows], True, IGNORE)
    logits, *ctc_logits, encoder_out_lens = model(x, x_lens, inputs)
    attention = F.cross_entropy(
        logits.float().flatten(0, 1),
        targets.flatten(),
        ignore_index=IGNORE,
        label_smoothing=config.label_smoothing,
    )
    attention = share.attention * attention
    if not ctc_logits:
        return Losses(attention, attention.detach())
    ctc, *middle = (share.ctc * _ctc_loss(each, encoder_out_lens, rows) for each in ctc_logits)
    weight = config.intermediate_ctc_weight
    ctc_loss = (1 - weight) * ctc + weight * middle[0] if middle else ctc
    total = config.ctc_weight * ctc_loss + (1 - config.ctc_weight) * attention
    return Losses(total, attention.detach(), ctc.detach())


def _ctc_loss(ctc_logits: Tensor, encoder_out_lens: Tensor, rows: list[Tensor]) -> Tensor:
    """Per token. A row without tokens counts as one; one too short for its tokens adds nothing."""
    lens = torch.tensor([len(row) for row in rows], device=ctc_logits.device)
    summed = F.ctc_loss(
        ctc_logits.float().log_softmax(dim=-1).transpose(0, 1),  # (N, B, V)
        torch.cat(rows),
        encoder_out_lens,
        lens,
        blank=Tokenizer.blank_id,
        reduction="sum",
        zero_infinity=True,
    )
    return summed / lens.clamp_min(1).sum()


def _ctc_tokens(texts: list[list[int]]) -> int:
    return sum(max(len(text), 1) for text in texts)


def _attention_tokens(texts: list[list[int]]) -> int:
    return sum(len(text) + 1 for text in texts)
