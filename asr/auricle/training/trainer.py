"""The training loop: batch -> features -> loss -> step; a WER on dev after each epoch."""

import logging
import shutil
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from auricle.engine.devices import resolve_device
from auricle.families import new_features
from auricle.storage import writing
from auricle.training import beginning
from auricle.training.arithmetic import arithmetic, no_denormals
from auricle.training.augmentation import SpecAugment, WaveformAugmentation, seed_everything
from auricle.training.batches import make_batches
from auricle.training.clips import Clip, plan_clips, render
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.distributed import World, world_of
from auricle.training.epoch_evaluator import EpochEvaluator
from auricle.training.events import Events
from auricle.training.fresh import FreshSpeech, check_ready, folder_of
from auricle.training.interruption import Interruption
from auricle.training.journal import Journal
from auricle.training.loss import Losses, joint_loss
from auricle.training.network import network_of
from auricle.training.selection import Speech, alignable
from auricle.training.silence import with_silence
from auricle.training.speech import load_speech
from auricle.training.state import new_state
from auricle.training.teacher_labels import TeacherLabels
from auricle_types.errors import TrainingInterruptedError

logger = logging.getLogger(__name__)


class Trainer:
    """One run. Everything random is a function of the seed, the epoch and the batch.

    It goes on from its saved state, if there is one and `resume`. Of several processes, the first
    one validates and writes.
    """

    def __init__(
        self, config: TrainingConfig, world: World | None = None, *, resume: bool = True
    ) -> None:
        self.config = config
        self.world = world or World(resolve_device(config.device))
        with self.world.first_alone():
            with writing(config.output):
                config.output.mkdir(parents=True, exist_ok=True)
            if config.fresh:
                check_ready(config.fresh)
            speech = load_speech(config)
            self.tokenizer = beginning.tokenizer(config, [u.text for _, u in speech])
            teacher = config.teacher
            self.teacher_labels = teacher and TeacherLabels(config, teacher, speech, self.tokenizer)
            if self.teacher_labels:
                speech = self.teacher_labels.labelled(speech)
        self.recorded = alignable(speech, self.tokenizer, config.model, config.data.on_bad)
        self.utterances = self.recorded  # of the epoch
        self.fresh = FreshSpeech(config.fresh, config, self.tokenizer) if config.fresh else None
        self.features = new_features(config.model)
        self.augment = WaveformAugmentation(config.augmentation)
        self.spec_augment = SpecAugment(config.augmentation, config.model.features.n_mels)
        seed_everything(config.seed)
        resumed = resume and self._state_path.exists()
        model = beginning.model(config, resumed=resumed).to(self.world.device)
        self.state = new_state(model, config.optimizer)
        if resumed:
            self.state.load(self._state_path)
            logger.info("resumed at epoch %d, step %d", self.state.epoch, self.state.step)
        if not config.model.transformer.ctc:
            logger.info("%s has no CTC head: its decoder alone is trained", config.model.name)
        self.network = network_of(model, config, self.world)
        self.journal = Journal(config.output, Events(config.output))
        self.epoch_evaluator = EpochEvaluator(config, self.features, self.tokenizer, self.journal)
        self.interruption = Interruption(repeated=self.world.size > 1)

    @property
    def _state_path(self) -> Path:
        return self.config.output / "state.pt"

    @property
    def _finished(self) -> bool:
        """After the last epoch, the last step, or too long without a better WER."""
        schedule, state = self.config.schedule, self.state
        ended = state.epoch >= schedule.epochs or (self._at_last_step and state.batch == 0)
        return ended or 0 < schedule.patience <= state.stale

    @property
    def _at_last_step(self) -> bool:
        return 0 < self.config.optimizer.last_step <= self.state.step

    def run(self) -> None:
        """Train until the run is finished, or interrupted between two steps.

        Raises:
            TrainingInterruptedError: by Ctrl-C or SIGTERM; the state is saved.
            StorageError: the disk is full, or what else keeps it from writing.
        """
        with self.interruption, self.fresh or nullcontext():
            while not self._finished:
                self._epoch()
                self.state.epoch, self.state.batch = self.state.epoch + 1, 0
                self.epoch_evaluator.epoch(self.state, self.world)
                self._save()
                self._heed_interruption()

    def _epoch(self) -> None:
        self._gather()
        clips = self._clips()
        seconds = [clip.seconds for clip in clips]
        budget = self.config.data.batch_seconds
        epoch = self.state.epoch + (self.config.init is not None)  # it can align: no easy start
        batches = make_batches(seconds, budget, seed=self.config.seed, epoch=epoch)
        rest = batches[self.state.batch :]
        progress = tqdm(
            rest,
            f"epoch {self.state.epoch}",
            initial=self.state.batch,
            total=len(batches),
            disable=not self.world.first,
        )
        for rows in progress:
            if self._at_last_step:
                break
            losses = self._step([clips[row] for row in rows])
            progress.set_postfix({name: f"{loss:.2f}" for name, loss in losses.heads.items()})
            if self.state.step % self.config.schedule.checkpoint_steps == 0:
                self._save()
            self._heed_interruption()
        self._save()  # a run that is killed while it validates does not repeat the epoch

    def _save(self) -> None:
        if self.world.first:
            self.state.save(self._state_path)

    def _heed_interruption(self) -> None:
        if self.world.any(self.interruption.wanted):
            self._save()
            where = f"epoch {self.state.epoch}, step {self.state.step}"
            raise TrainingInterruptedError(
                f"interrupted at {where}, which is saved: run the same command again to go on"
            )

    def _gather(self) -> None:
        """The speech of the present epoch."""
        if self.fresh is not None:
            with self.world.first_alone():
                if self.world.first:
                    self.fresh.make(self.state.epoch, lambda: self.interruption.wanted)
            self.utterances = self.recorded + self.fresh.open(self.state.epoch)

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

    @no_denormals()
    def _step(self, clips: list[Clip]) -> Losses:
        state, world = self.state, self.world
        seed_everything(self.config.seed, state.epoch, state.batch, *world.seed())
        x, x_lens = (each.to(world.device) for each in self._features(world.rows(clips)))
        state.model.train()
        with arithmetic(world.device):
            losses = self._losses(clips, x, x_lens)
        losses.total.backward()
        norm = clip_grad_norm_(state.model.parameters(), self.config.optimizer.clip_norm)
        if torch.isfinite(norm):
            state.optimizer.step()
        state.optimizer.zero_grad()
        state.schedule.step()
        state.average.update_parameters(state.model)
        state.step, state.batch = state.step + 1, state.batch + 1
        losses = world.joined(losses)
        if world.first:
            rate = float(state.schedule.get_last_lr()[0])
            self.journal.step(state.step, losses, float(norm), rate)
        return losses

    def _losses(self, clips: list[Clip], x: Tensor, x_lens: Tensor) -> Losses:
        """Of this process' rows of a batch."""
        config, world = self.config, self.world
        if self.teacher_labels:
            wanted = [self.teacher_labels.target(self._spoken(clip)) for clip in clips]
            targets = world.rows(wanted)
            share = world.share([each.text for each in targets], [each.text for each in wanted])
            return self.teacher_labels.loss(self.network, x, x_lens, targets, share)
        batch = [self.tokenizer.encode(self._text(clip)) for clip in clips]
        texts = world.rows(batch)
        share, special = world.share(texts, batch), config.model.tokens
        return joint_loss(self.network, x, x_lens, texts, config.loss, share, special)

    def _spoken(self, clip: Clip) -> Speech:
        return [self.utterances[index] for index in clip.utterances]

    def _text(self, clip: Clip) -> str:
        return " ".join(utterance.text for _, utterance in self._spoken(clip))

    def _waveform(self, clip: Clip) -> Tensor:
        spoken = self._spoken(clip)
        return render(clip, [torch.from_numpy(corpus.samples(u)) for corpus, u in spoken])

    def _features(self, clips: list[Clip]) -> tuple[Tensor, Tensor]:
        """Augmented features `x (B, T, n_mels)`, `x_lens (B,)` of a batch."""
        waveforms = [self._waveform(clip) for clip in clips]
        lens = torch.tensor([len(waveform) for waveform in waveforms])
        samples, lens = self.augment(pad_sequence(waveforms, True), lens)
        listener = self.teacher_labels.listener() if self.teacher_labels else self.config.model
        x, x_lens = self.features(*with_silence(samples, lens, listener))
        return self.spec_augment(x), x_lens


def train(recipe: Path, *, resume: bool = True) -> None:
    """Train as `recipe` says; go on where its last run stopped, or forget that unless `resume`.

    Raises:
        InvalidOptionError: the recipe is not valid.
        ManifestError: speech that it names is missing, or cannot be trained on (`on_bad`).
        CheckpointMismatchError: the last run, or the checkpoint to begin with, has another model.
        TrainingInterruptedError: by Ctrl-C or SIGTERM; the state is saved.
        StorageError: the disk is full, or what else keeps it from writing.
    """
    config = load_training_config(recipe)
    with world_of(config.device) as world:
        if not world.first:
            logging.getLogger("auricle").setLevel(logging.ERROR)  # the first one says it all
        elif not resume:
            _forget(config.output)
        Trainer(config, world, resume=resume).run()


def _forget(output: Path) -> None:
    for name in ("state.pt", "tokenizer.model", "journal.jsonl", "curves.png"):
        (output / name).unlink(missing_ok=True)
    for folder in (output / "tensorboard", folder_of(output)):
        shutil.rmtree(folder, ignore_errors=True)
