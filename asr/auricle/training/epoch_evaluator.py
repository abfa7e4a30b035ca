"""What an epoch was worth: its WER on dev, the best model so far, and when to give up."""

import logging

import torch

from auricle.checkpoint import save_checkpoint
from auricle.features import Features
from auricle.tokenizer import Vocabulary
from auricle.training.config import TrainingConfig
from auricle.training.curves import renew_curves
from auricle.training.distributed import World
from auricle.training.journal import Journal
from auricle.training.state import TrainingState
from auricle.training.validation import Validator, load_dev_set

logger = logging.getLogger(__name__)


class EpochEvaluator:
    """Validates, reports and exports after each epoch."""

    def __init__(
        self, config: TrainingConfig, features: Features, tokenizer: Vocabulary, journal: Journal
    ) -> None:
        self._output = config.output
        self._tokenizer = tokenizer
        self._journal = journal
        self._dev = [load_dev_set(manifest) for manifest in config.data.dev]
        self._validator = Validator(features, tokenizer, config.data.batch_seconds)

    def epoch(self, state: TrainingState, world: World) -> None:
        """Evaluate the averaged model in the first process, which tells the others the result.

        Raises StorageError.
        """
        if world.first:
            self._rank(state, self._wer(state))
            renew_curves(self._output)
        best_wer, stale = world.agree(state.best_wer, state.stale)
        state.best_wer, state.stale = best_wer, int(stale)

    def _wer(self, state: TrainingState) -> float:
        """The mean over the dev sets, by attention."""
        model = state.averaged_model.eval()
        rates = {dev.name: self._validator.wer(model, dev) for dev in self._dev}
        self._journal.epoch(state.epoch, state.step, rates)
        return sum(attention for _, attention in rates.values()) / len(rates)

    def _rank(self, state: TrainingState, wer: float) -> None:
        self._export(state, "last.safetensors")
        if wer < state.best_wer:
            state.best_wer, state.stale = wer, 0
            self._export(state, "best.safetensors")
            return
        state.stale += 1
        logger.info("no better WER since epoch %d", state.epoch - state.stale)

    def _export(self, state: TrainingState, name: str) -> None:
        path = self._output / name
        save_checkpoint(path, state.averaged_model, self._tokenizer, torch.bfloat16)
