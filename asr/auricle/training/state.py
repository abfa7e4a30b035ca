"""What a run must remember to go on as if it had never stopped."""

import math
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import cast

import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from auricle.model import SpeechTransformer
from auricle.storage import replacing
from auricle.training.config import OptimizerConfig
from auricle_types.errors import CheckpointMismatchError


@dataclass(slots=True)
class TrainingState:
    """Weights, their average, the optimizer, and where in the data we are."""

    model: SpeechTransformer
    average: AveragedModel
    optimizer: AdamW
    schedule: LambdaLR
    epoch: int = 0
    batch: int = 0  # next batch of the epoch
    step: int = 0
    best_wer: float = float("inf")
    stale: int = 0  # epochs since it was found

    @property
    def averaged_model(self) -> SpeechTransformer:
        """The model that is evaluated and exported."""
        return cast(SpeechTransformer, self.average.module)

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all. Raises StorageError."""
        values = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "position": (self.epoch, self.batch, self.step, self.best_wer),
            "stale": self.stale,
        }
        with replacing(path) as partial, partial.open("wb") as file:
            torch.save(values, file)

    def load(self, path: Path) -> None:
        """Go on from what `save` wrote. Raises CheckpointMismatchError for another model's."""
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            for name in ("model", "average", "optimizer", "schedule"):
                getattr(self, name).load_state_dict(saved[name])
            self.epoch, self.batch, self.step, self.best_wer = saved["position"]
            self.stale = saved.get("stale", 0)  # older states do not say
        except (RuntimeError, KeyError, ValueError, EOFError, UnpicklingError) as error:
            raise CheckpointMismatchError(
                f"{path}: damaged, or of another model than the recipe's; begin anew with "
                f"--restart ({error})"
            ) from error


def new_state(model: SpeechTransformer, config: OptimizerConfig) -> TrainingState:
    """A run's state before its first step."""
    optimizer = AdamW(
        model.parameters(),
        lr=config.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=config.weight_decay,
        fused=True,
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
    schedule = LambdaLR(optimizer, lambda step: rate(step, config))
    return TrainingState(model, average, optimizer, schedule)


def rate(step: int, config: OptimizerConfig) -> float:
    """The learning rate at `step`, counted from 0, as a share of the recipe's."""
    warmup = max(config.warmup_steps, 1)
    if config.decay == "cosine" and step >= warmup:
        share = (step - warmup) / (config.last_step - warmup)
        decayed = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    else:
        decayed = min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))
    if not config.last_step:
        return decayed
    return decayed * min(1.0, max(0, config.last_step - step) / max(config.cooldown_steps, 1))
