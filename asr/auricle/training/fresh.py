"""Synthetic speech on the fly: each epoch hears sentences and voices that none heard before.

A folder of hundreds of hours needs cores for a day and a disk; this needs those of one epoch. While
an epoch is trained on, the speech of the next one is made by threads beside it.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from auricle.errors import TrainingInterruptedError
from auricle.tokenizer import Vocabulary
from auricle.training.config import FreshConfig, TrainingConfig
from auricle.training.corpus import open_corpus
from auricle.training.selection import Speech, alignable, usable
from auricle.training.synthesis import (
    MANIFEST,
    Sentence,
    SynthesisConfig,
    SynthesisSummary,
    read_sentences,
    synthesize,
)

logger = logging.getLogger(__name__)

EPOCHS_A_SEED = 1_000_000  # so that two seeds share no epoch
_SHARD_HOURS = 0.25  # what a killed run says again at most
_PATIENCE = 0.2  # seconds between two looks at whether anybody still waits


class FreshSpeech:
    """The epochs' speech, in `folder`, where only the present and the next one's are kept.

    The same seed and epoch have the same speech, so that a run which resumes hears what it would
    have heard. Of several processes the first one speaks; the others read when it is done. The
    threads end with the `with` block.
    """

    def __init__(
        self,
        fresh: FreshConfig,
        run: TrainingConfig,
        tokenizer: Vocabulary,
        *,
        speaks: bool = True,
    ) -> None:
        self._fresh = fresh
        self._run = run
        self._tokenizer = tokenizer
        self._speaks = speaks
        self._folder = folder_of(run.output)
        self._made: dict[int, Future[SynthesisSummary]] = {}
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

    def epoch(self, number: int, interrupted: Callable[[], bool]) -> Speech:
        """What epoch `number` (from 0) hears; what no head can say of it is left out.

        Raises:
            SynthesizerMissingError: an engine is not installed.
            SynthesisError: an engine fails again and again.
            InvalidOptionError: the sentences cannot be read, or changed since the run began.
            TrainingInterruptedError: `interrupted` while it waited.
        """
        if self._speaks:
            self._begin(number, progress=True)
            if number + 1 < self._run.schedule.epochs:
                self._begin(number + 1, progress=False)
            self._wait(number, interrupted)
            self._forget_before(number)
        return self._open(number)

    @cached_property
    def _sentences(self) -> list[Sentence]:
        fresh = self._fresh
        return read_sentences(fresh.text, punctuated=fresh.punctuated, sources=fresh.sources)

    def _begin(self, number: int, *, progress: bool) -> None:
        if number not in self._made:
            self._made[number] = self._thread.submit(self._make, number, progress)

    def _make(self, number: int, progress: bool) -> SynthesisSummary:
        config = SynthesisConfig(
            hours=self._fresh.hours,
            seed=self._run.seed * EPOCHS_A_SEED + number,
            engines=self._fresh.engines,
            shard_hours=_SHARD_HOURS,
        )
        return synthesize(
            self._sentences, self._path(number), config, progress=progress, stop=self._stop
        )

    def _wait(self, number: int, interrupted: Callable[[], bool]) -> None:
        made = self._made.pop(number)
        while True:
            try:
                made.result(_PATIENCE)
                return
            except NotYet:
                if interrupted():
                    raise TrainingInterruptedError(
                        f"interrupted while the speech of epoch {number} was made: "
                        "run the same command again to go on"
                    ) from None

    def _open(self, number: int) -> Speech:
        folder, model = self._path(number), self._run.model
        corpus = open_corpus(folder / MANIFEST, folder, "skip")
        data = replace(self._run.data, on_bad="skip")
        speech = usable([(corpus, each) for each in corpus.utterances], data, model)
        return alignable(speech, self._tokenizer, model, "skip")

    def _forget_before(self, number: int) -> None:
        for folder in self._folder.glob("epoch-*"):
            if folder.name < self._path(number).name:
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"epoch-{number:06d}"


def folder_of(output: Path) -> Path:
    """Where a run into `output` keeps it."""
    return output / "fresh"
