"""Loads models and starts the engines that run them: here, or in processes of their own."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch

from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.decoding import ScorerFactory
from auricle.engine import Engine, ModelRunner
from auricle.engine.devices import convert, loaded, prepare, resolve_device, resolve_dtype
from auricle.engine.invariance import InvarianceChecker, alone_config, require_share
from auricle.engine.processes.pool import EnginePool
from auricle.engine.processes.remote import RemoteEngine, started
from auricle.engine.serving import Serving
from auricle.families import family_of, new_policy
from auricle.pretrained import load_pretrained
from auricle.segmentation.vad import load_now
from auricle.threads import in_own_thread
from auricle.tokenizer import Vocabulary
from auricle_types.errors import InvalidOptionError
from auricle_types.options import AudioContext, EngineConfig

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Describes a model whose weights may lie in another process."""

    config: ModelConfig
    tokenizer: Vocabulary
    device: str
    dtype: str


Start = Callable[[EngineConfig], tuple[Serving, ModelDescription]]


@dataclass(frozen=True, slots=True)
class Loading:
    """Says which model to load, and how it is to run. It can be sent to another process."""

    path: Path
    lm: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    audio_context: AudioContext | None = None

    def load(self) -> Checkpoint:
        """Load the model ready to run, so that nothing is in memory twice.

        Raises:
            ModelError: it cannot be loaded; its class says why.
            InvalidOptionError: the device or the dtype is not to be had.
        """
        device = resolve_device(self.device)
        dtype = resolve_dtype(self.dtype, device)
        checkpoint = load_pretrained(
            self.path, dtype=loaded(dtype), audio_context=self.audio_context, lm=self.lm
        )
        convert(checkpoint.model, device, dtype)  # nobody else has it
        return checkpoint


@dataclass(frozen=True, slots=True)
class Running:
    """A started engine, what it runs, and the checker beside it, if one was asked for."""

    engine: Serving
    model: ModelDescription
    checker: InvarianceChecker | None


class Host:
    """Holds a model in this process. Its engines share the weights."""

    def __init__(self, checkpoint: Checkpoint, device: str, dtype: str) -> None:
        """Make `checkpoint` ready to run; it stays as it is.

        Raises:
            InvalidOptionError: the device or the dtype is not to be had.
        """
        self._device = resolve_device(device)
        self._dtype = resolve_dtype(dtype, self._device)
        model = in_own_thread(lambda: prepare(checkpoint.model, self._device, self._dtype))
        self._ready = replace(checkpoint, model=model)
        self.described = ModelDescription(
            checkpoint.model.config,
            checkpoint.tokenizer,
            str(self._device),
            str(self._dtype).removeprefix("torch."),
        )

    def start(self, config: EngineConfig) -> tuple[Engine, ModelDescription]:
        """Start an engine with these budgets.

        Raises:
            InvalidOptionError: they are for several processes.
        """
        if config.processes > 1:
            raise InvalidOptionError(
                "several processes load a model by themselves: use Recognizer.from_pretrained"
            )
        runner = in_own_thread(lambda: self._runner(config))
        return Engine(runner, config, model_id=self.described.config.name), self.described

    def _runner(self, config: EngineConfig) -> ModelRunner:
        model, language_model = self._ready.model, self._ready.language_model
        policy = new_policy(model.config, self._ready.tokenizer)
        return ModelRunner(
            model,
            self._device,
            self._dtype,
            scorers=ScorerFactory.of(model.config, policy, language_model, self._ready.tokenizer),
            config=config,
        )


def run_checkpoint(
    checkpoint: Checkpoint, device: str, dtype: str, config: EngineConfig, check_share: float
) -> Running:
    """Start an engine in this process, and another one where a share is to be checked.

    Raises:
        InvalidOptionError: an option is outside its range, or not to be had here.
    """
    require_share(check_share)
    return _run(Host(checkpoint, device, dtype).start, config, check_share)


def run_model(loading: Loading, config: EngineConfig, check_share: float) -> Running:
    """Load a model and start its engines, in as many processes as `config` says.

    Raises:
        ModelError, InvalidOptionError: as `Loading.load`.
        EngineStoppedError: a process ended while it loaded the model.
    """
    require_share(check_share)
    if config.processes == 1:
        checkpoint = in_own_thread(loading.load)
        return run_checkpoint(checkpoint, loading.device, loading.dtype, config, check_share)
    start = partial(start_processes, loading, among=config.processes)
    return _run(start, config, check_share)


def _run(start: Start, config: EngineConfig, check_share: float) -> Running:
    in_own_thread(load_now)
    engine, model = start(config)
    _warn_of_short_context(model.config)
    if not check_share:
        return Running(engine, model, None)
    try:
        alone, _ = start(alone_config(config))
    except BaseException:
        engine.close(drain=False)
        raise
    return Running(engine, model, InvarianceChecker(alone, check_share))


def _warn_of_short_context(config: ModelConfig) -> None:
    if config.audio_context == "auto" and not family_of(config.family).knows_short_context(config):
        logger.warning(
            "%s was not taught short contexts: with audio_context auto it may repeat itself or "
            "leave words out; leave audio_context away, or choose full",
            config.name,
        )


def start_processes(
    loading: Loading, config: EngineConfig, *, among: int
) -> tuple[EnginePool, ModelDescription]:
    """Start engines in processes of their own.

    Args:
        loading: what each of them loads.
        config: how many there are, and the budgets of each.
        among: how many processes torch's threads are divided among.

    Raises:
        ModelError, InvalidOptionError: as `Loading.load`.
        EngineStoppedError: a process ended while it loaded the model.
    """
    threads = max(1, torch.get_num_threads() // among)
    build = partial(_build, loading, replace(config, processes=1))
    start = partial(RemoteEngine, build, threads=threads)
    engines, described = started(start, config.processes)
    return EnginePool(engines, lambda: started(start, 1)[0][0]), cast(ModelDescription, described)


def _build(loading: Loading, config: EngineConfig) -> tuple[Engine, ModelDescription]:
    return Host(in_own_thread(loading.load), loading.device, loading.dtype).start(config)
