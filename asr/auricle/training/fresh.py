"""Synthetic speech on the fly: each epoch hears other sentences, said by other voices.

A folder of hundreds of hours needs cores for a day and a disk; this needs those of one epoch. While
an epoch is trained on, the speech of the next one is made by threads beside it.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from auricle.storage import writing
from auricle.tokenizer import Vocabulary
from auricle.training.config import FreshConfig, TrainingConfig
from auricle.training.corpus import Corpus, open_corpus
from auricle.training.selection import Speech, alignable, usable
from auricle.training.synthesis import (
    MANIFEST,
    Sentence,
    SynthesisConfig,
    read_sentences,
    speakers_of,
    synthesize,
)
from auricle_types.errors import InvalidOptionError, TrainingInterruptedError

EPOCHS_A_SEED = 1_000_000  # so that two seeds share no epoch
_SHARD_HOURS = 0.25  # what a killed run says again at most
_PATIENCE = 0.2  # seconds between two looks at whether anybody still waits


class FreshSpeech:
    """The epochs' speech, of which only the present and the next one's is kept.

    The same seed and epoch have the same speech, so that a run which resumes hears what it would
    have heard. Of several processes one makes it and all open it. The threads end with the `with`
    block.
    """

    def __init__(self, fresh: FreshConfig, run: TrainingConfig, tokenizer: Vocabulary) -> None:
        self._fresh = fresh
        self._run = run
        self._tokenizer = tokenizer
        self._making: dict[int, Future[None]] = {}
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(1, "fresh-speech")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.shutdown(cancel_futures=True)

    def make(self, epoch: int, interrupted: Callable[[], bool]) -> None:
        """Have the speech of `epoch` (from 0), begin with the next one's, forget the last one's.

        Raises:
            SynthesizerMissingError: an engine is not installed.
            SynthesisError: an engine fails again and again, or was killed.
            InvalidOptionError: the sentences cannot be read, or changed since the epoch began.
            StorageError: the disk is full.
            TrainingInterruptedError: `interrupted` while it waited.
        """
        self._begin(epoch, progress=True)
        if epoch + 1 < self._run.schedule.epochs:
            self._begin(epoch + 1, progress=False)
        self._wait(epoch, interrupted)
        self._forget_before(epoch)

    def open(self, epoch: int) -> Speech:
        """What was made for `epoch`; what no head can say of it is left out."""
        corpus = self._corpus(epoch, progress=False)
        data, model = replace(self._run.data, on_bad="skip"), self._run.model
        speech = usable([(corpus, each) for each in corpus.utterances], data, model)
        return alignable(speech, self._tokenizer, model, "skip")

    @cached_property
    def _sentences(self) -> list[Sentence]:
        fresh = self._fresh
        return read_sentences(fresh.text, punctuated=fresh.punctuated, sources=fresh.sources)

    def _begin(self, epoch: int, *, progress: bool) -> None:
        if epoch not in self._making:
            self._making[epoch] = self._thread.submit(self._make, epoch, progress)

    def _make(self, epoch: int, progress: bool) -> None:
        config = SynthesisConfig(
            hours=self._fresh.hours,
            seed=self._run.seed * EPOCHS_A_SEED + epoch,
            engines=self._fresh.engines,
            shard_hours=_SHARD_HOURS,
        )
        folder, sentences = self._folder(epoch), self._sentences
        try:
            with writing(folder):
                synthesize(sentences, folder, config, progress=progress, stop=self._stop)
        except InvalidOptionError as error:
            raise InvalidOptionError(
                f"{folder} was made from another text or by other voices: put [fresh] back as it "
                "was, or delete the folder, to have it made anew"
            ) from error
        self._corpus(epoch, progress=progress)

    def _wait(self, epoch: int, interrupted: Callable[[], bool]) -> None:
        made = self._making.pop(epoch)
        while not interrupted():
            with suppress(TimeoutError):
                made.result(_PATIENCE)
                return
        raise TrainingInterruptedError(
            f"interrupted while the speech of epoch {epoch} was made: run the same command again "
            "to go on"
        )

    def _corpus(self, epoch: int, *, progress: bool) -> Corpus:
        folder = self._folder(epoch)
        return open_corpus(folder / MANIFEST, folder, "skip", progress=progress)

    def _forget_before(self, epoch: int) -> None:
        for folder in folder_of(self._run.output).glob("epoch-*"):
            if folder.name < self._folder(epoch).name:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, epoch: int) -> Path:
        """Of another name when the hours have changed, so that they take effect."""
        return folder_of(self._run.output) / f"epoch-{epoch:06d}-{self._fresh.hours:g}h"


def check_ready(fresh: FreshConfig) -> None:
    """Before hours are spent on other things.

    Raises:
        SynthesizerMissingError: an engine is not installed.
        InvalidOptionError: a file is missing.
    """
    speakers_of(fresh.engines)
    for path in filter(None, (fresh.text, fresh.punctuated, fresh.sources)):
        if not path.is_file():
            raise InvalidOptionError(f"[fresh]: {path} is no file")


def folder_of(output: Path) -> Path:
    """Where a run into `output` keeps it."""
    return output / "fresh"
