"""The training loop: batch -> features -> loss -> step; a WER on dev after each epoch."""

import logging
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from auricle.checkpoint import save_checkpoint
from auricle.features import LogMel
from auricle.training import beginning
from auricle.training.arithmetic import arithmetic
from auricle.training.augmentation import SpecAugment, WaveformAugmentation, seed_everything
from auricle.training.batches import make_batches
from auricle.training.clips import Clip, plan_clips, render
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.corpus import open_corpus
from auricle.training.journal import Journal
from auricle.training.loss import Losses, joint_loss
from auricle.training.selection import Speech, alignable, usable
from auricle.training.state import new_state
from auricle.training.validation import Validator, load_dev_set

logger = logging.getLogger(__name__)


class Trainer:
    """One run. Everything random is a function of the seed, the epoch and the batch."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        config.output.mkdir(parents=True, exist_ok=True)
        speech = _load_speech(config)
        self.tokenizer = beginning.tokenizer(config, [u.text for _, u in speech])
        self.utterances = alignable(speech, self.tokenizer, config.model, config.data.on_bad)
        self.features = LogMel(config.model.features)
        self.augment = WaveformAugmentation(config.augmentation)
        self.spec_augment = SpecAugment(config.augmentation)
        seed_everything(config.seed)
        self.state = new_state(beginning.model(config), config.optimizer)
        self.dev = [load_dev_set(manifest) for manifest in config.data.dev]
        self.validator = Validator(self.features, self.tokenizer, config.data.batch_seconds)
        self.journal = Journal(config.output)

    @property
    def _state_path(self) -> Path:
        return self.config.output / "state.pt"

    @property
    def _at_last_step(self) -> bool:
        return 0 < self.config.optimizer.last_step <= self.state.step

    def run(self, *, resume: bool) -> None:
        """Train until the last epoch or step; go on from the saved state when `resume`."""
        if resume and self._state_path.exists():
            self.state.load(self._state_path)
            logger.info("resumed at epoch %d, step %d", self.state.epoch, self.state.step)
        while self.state.epoch < self.config.schedule.epochs and not self._at_last_step:
            self._epoch()
            self.state.epoch, self.state.batch = self.state.epoch + 1, 0
            self._validate()
            self.state.save(self._state_path)

    def _epoch(self) -> None:
        clips = self._clips()
        seconds = [clip.seconds for clip in clips]
        budget = self.config.data.batch_seconds
        epoch = self.state.epoch + (self.config.init is not None)  # it can align: no easy start
        batches = make_batches(seconds, budget, seed=self.config.seed, epoch=epoch)
        rest = batches[self.state.batch :]
        progress = tqdm(
            rest, f"epoch {self.state.epoch}", initial=self.state.batch, total=len(batches)
        )
        for rows in progress:
            if self._at_last_step:
                break
            losses = self._step([clips[row] for row in rows])
            progress.set_postfix(ctc=f"{losses.ctc:.2f}", attention=f"{losses.attention:.2f}")
            if self.state.step % self.config.schedule.checkpoint_steps == 0:
                self.state.save(self._state_path)

    def _clips(self) -> list[Clip]:
        """All clips of the present epoch."""
        config, lengths = self.config, [utterance.samples for _, utterance in self.utterances]
        return plan_clips(
            lengths,
            config.augmentation,
            min(config.data.max_seconds, config.model.window_seconds),
            seed=config.seed,
            epoch=self.state.epoch,
        )

    def _step(self, clips: list[Clip]) -> Losses:
        state = self.state
        seed_everything(self.config.seed, state.epoch, state.batch)
        x, x_lens = self._features(clips)
        texts = [self.tokenizer.encode(self._text(clip)) for clip in clips]
        state.model.train()
        with arithmetic(x.device):
            losses = joint_loss(state.model, x, x_lens, texts, self.config.loss)
        losses.total.backward()
        norm = clip_grad_norm_(state.model.parameters(), self.config.optimizer.clip_norm)
        if torch.isfinite(norm):
            state.optimizer.step()
        state.optimizer.zero_grad()
        state.schedule.step()
        state.average.update_parameters(state.model)
        state.step, state.batch = state.step + 1, state.batch + 1
        self.journal.step(state.step, losses, float(norm), float(state.schedule.get_last_lr()[0]))
        return losses

    def _text(self, clip: Clip) -> str:
        return " ".join(self.utterances[index][1].text for index in clip.utterances)

    def _waveform(self, clip: Clip) -> Tensor:
        spoken = [self.utterances[index] for index in clip.utterances]
        return render(clip, [torch.from_numpy(corpus.samples(u)) for corpus, u in spoken])

    def _features(self, clips: list[Clip]) -> tuple[Tensor, Tensor]:
        """Augmented features `x (B, T, n_mels)`, `x_lens (B,)` of a batch."""
        waveforms = [self._waveform(clip) for clip in clips]
        lens = torch.tensor([len(waveform) for waveform in waveforms])
        samples, lens = self.augment(pad_sequence(waveforms, True), lens)
        x, x_lens = self.features(samples, lens)
        return self.spec_augment(x), x_lens

    def _validate(self) -> None:
        model = self.state.averaged_model.eval()
        rates = {dev.name: self.validator.wer(model, dev) for dev in self.dev}
        self.journal.epoch(self.state.epoch, self.state.step, rates)
        mean = sum(attention for _, attention in rates.values()) / len(rates)
        self._export("last.safetensors")
        if mean < self.state.best_wer:
            self.state.best_wer = mean
            self._export("best.safetensors")

    def _export(self, name: str) -> None:
        path = self.config.output / name
        save_checkpoint(path, self.state.averaged_model, self.tokenizer, torch.bfloat16)


def train(recipe: Path, *, resume: bool = True) -> None:
    """Train as `recipe` says; go on where its last run stopped, or forget that unless `resume`.

    Raises:
        InvalidOptionError: the recipe is not valid.
        ManifestError: speech that it names is missing, or cannot be trained on (`on_bad`).
        CheckpointMismatchError: the last run, or the checkpoint to begin with, has another model.
    """
    config = load_training_config(recipe)
    if not resume:
        for name in ("state.pt", "tokenizer.model", "journal.jsonl"):
            (config.output / name).unlink(missing_ok=True)
    Trainer(config).run(resume=resume)


def _load_speech(config: TrainingConfig) -> Speech:
    data = config.data
    speech = [
        (corpus, utterance)
        for manifest in data.train
        for corpus in [open_corpus(manifest, data.cache, data.on_bad)]
        for utterance in corpus.utterances
    ]
    return usable(speech, data, config.model)
