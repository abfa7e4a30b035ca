"""Knowledge distillation (Hinton, Vinyals & Dean 2015): what a student of short contexts learns of
a teacher's labels, beside the words themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SpecialTokens
from auricle.training.config import TeacherConfig
from auricle.training.labels import Label
from auricle.training.loss import ALL, Losses, Share

_BEGINNING = 2  # tokens of a text that continues another, where the teacher expected a beginning
_LEAST = 1e-6  # of a probability whose logarithm is taken


@dataclass(frozen=True, slots=True)
class DistillationTarget:
    """What a clip is to say, END included, and where the teacher's opinion counts."""

    tokens: Tensor  # (U,)
    likely: Tensor  # (U, K)
    log_probs: Tensor  # (U, K)
    counts: Tensor  # (U,), true or false
    weight: float = 1.0

    @property
    def text(self) -> list[int]:
        """The tokens without END."""
        return [int(token) for token in self.tokens[:-1]]


def target_of(labels: Sequence[Label], end: int, empty_weight: float) -> DistillationTarget:
    """That of a clip whose utterances have these `labels`, one after the other, or of none.

    The teacher's opinion counts where it agrees with the words, and knew what stands before.
    """
    if not labels:
        nothing = torch.zeros(1, 1)
        return DistillationTarget(
            torch.tensor([end]), nothing.long(), nothing, nothing[0].bool(), empty_weight
        )
    last = len(labels) - 1
    parts = [slice(None) if at == last else slice(-1) for at in range(len(labels))]
    with torch.autocast("cpu", enabled=False):  # which cannot join labels in float16
        tokens, likely, log_probs = (
            torch.cat([getattr(each, name)[part] for each, part in zip(labels, parts, strict=True)])
            for name in ("tokens", "likely", "log_probs")
        )
    counts = (likely[:, 0] == tokens) & log_probs[:, 0].isfinite()
    place = 0
    for label in labels[:-1]:
        place += len(label.tokens) - 1
        counts[place : place + _BEGINNING] = False
    return DistillationTarget(tokens.long(), likely.long(), log_probs.float(), counts)


class DistillationLoss:
    """`weight * KL(teacher || student) + (1 - weight) * cross-entropy`, per token.

    Of the teacher's distribution its likeliest tokens are known, the others count as one. Where its
    opinion does not count, cross-entropy is all.
    """

    def __init__(
        self, config: TeacherConfig, label_smoothing: float, special: SpecialTokens
    ) -> None:
        self._weight = config.weight
        self._smoothing = label_smoothing
        self._special = special

    def __call__(
        self,
        model: nn.Module,
        x: Tensor,
        x_lens: Tensor,
        targets: Sequence[DistillationTarget],
        share: Share = ALL,
    ) -> Losses:
        """Compute the losses of a padded batch `x (B, T, n_mels)`, `x_lens (B,)`."""
        log_probs = self._log_probs(model, x, x_lens, targets)  # (P, V), all places of all rows
        wanted = _joined(targets, "tokens").to(x.device)
        counts = _joined(targets, "counts").to(x.device)
        weights = torch.cat([torch.full((len(each.tokens),), each.weight) for each in targets])
        likelihood = -log_probs.gather(1, wanted[:, None])[:, 0]
        smoothed = torch.lerp(likelihood, -log_probs.mean(dim=-1), self._smoothing)
        words = weights.to(x.device) * (1 - self._weight * counts) * smoothed
        divergence = _divergences(log_probs, targets)[counts].sum() / len(wanted)
        total = words.sum() / len(wanted) + self._weight * divergence
        attention, teacher = likelihood.mean().detach(), divergence.detach()
        whole = share.attention
        return Losses(whole * total, whole * attention, teacher=whole * teacher)

    def _log_probs(
        self, model: nn.Module, x: Tensor, x_lens: Tensor, targets: Sequence[DistillationTarget]
    ) -> Tensor:
        start = torch.tensor(self._special.start)
        prompts = [torch.cat([start, target.tokens[:-1]]) for target in targets]
        inputs = pad_sequence(prompts, True, self._special.end).to(x.device)
        logits, *_ = model(x, x_lens, inputs)  # (B, U, V)
        first = len(start) - 1
        rows = [
            row[first : first + len(target.tokens)]
            for row, target in zip(logits, targets, strict=True)
        ]
        return torch.cat(rows).float().log_softmax(dim=-1)


def _joined(targets: Sequence[DistillationTarget], name: str) -> Tensor:
    return torch.cat([getattr(target, name) for target in targets])


def _divergences(student: Tensor, targets: Sequence[DistillationTarget]) -> Tensor:
    """KL at each place, `(P, V) -> (P,)`; arbitrary where a clip has no words."""
    most = max(target.likely.shape[1] for target in targets)
    likely = torch.cat([_widened(target.likely, most, 0) for target in targets])
    teacher = torch.cat([_widened(target.log_probs, most, -torch.inf) for target in targets])
    teacher = teacher.to(student.device)
    known = student.gather(1, likely.to(student.device))
    probs = teacher.exp()
    rest, student_rest = (
        (1 - each.sum(dim=-1)).clamp_min(_LEAST)
        for each in (probs, known.exp().masked_fill(probs == 0, 0))
    )
    named = torch.where(probs > 0, probs * (teacher - known), 0).sum(dim=-1)
    return named + rest * (rest / student_rest).log()


def _widened(rows: Tensor, width: int, value: float) -> Tensor:
    return nn.functional.pad(rows, (0, width - rows.shape[1]), value=value)
