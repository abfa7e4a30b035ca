"""An epoch's clips: which utterances share a row of a batch, with how much silence around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation.silence import background, wordless
from auricle.training.config import AugmentationConfig

_STREAM = 1  # of random numbers, beside the batches' own


@dataclass(frozen=True, slots=True)
class Clip:
    """Utterances, by number, with silence before the first, between two and behind the last.

    A clip without words has no utterances and one silence.
    """

    utterances: tuple[int, ...]
    silences: tuple[int, ...]  # samples, one more than there are utterances
    samples: int

    @property
    def seconds(self) -> float:
        """The duration with the silences around it."""
        return self.samples / SAMPLE_RATE


def plan_clips(
    lengths: Sequence[int],
    config: AugmentationConfig,
    max_seconds: float,
    *,
    seed: int,
    epoch: int,
) -> list[Clip]:
    """The clips of an epoch: every utterance once, and some clips without words.

    With everything off, each utterance is a clip, in the order of the corpus. A clip that is
    joined grows to a length drawn between its own and `max_seconds`, so that all lengths are
    seen; clips without words are as long as others are.

    Args:
        lengths: samples of each utterance.
        config: how often, and how much silence.
        max_seconds: most seconds of a clip, unless an utterance alone is longer.
        seed: of the run.
        epoch: counted from 0.
    """
    random = np.random.default_rng([seed, epoch, _STREAM])
    limit = round(max_seconds * SAMPLE_RATE)
    clips = list(_joined(lengths, config, limit, random))
    if config.silence_probability:
        clips = [_surrounded(clip, config, limit, random) for clip in clips]
    return clips + _wordless(clips, config.empty_share, random)


def render(clip: Clip, waveforms: Sequence[Tensor]) -> Tensor:
    """The waveform `(S,)` of a clip from those of its utterances; draws from torch's generator."""
    if not waveforms:
        return wordless(clip.samples)
    pieces = [_silence(clip.silences[0], waveforms[0])]
    for waveform, silence in zip(waveforms, clip.silences[1:], strict=True):
        pieces += [waveform, _silence(silence, waveform)]
    return torch.cat(pieces)


def _silence(samples: int, beside: Tensor) -> Tensor:
    return background(samples, beside) if samples else torch.zeros(0)


def _alone(index: int, samples: int) -> Clip:
    return Clip((index,), (0, 0), samples)


def _joined(
    lengths: Sequence[int], config: AugmentationConfig, limit: int, random: np.random.Generator
) -> Iterator[Clip]:
    if not config.join_probability:
        yield from (_alone(index, samples) for index, samples in enumerate(lengths))
        return
    clip, target = None, 0
    for index in random.permutation(len(lengths)).tolist():
        pause = round(random.uniform(*config.join_pause) * SAMPLE_RATE)
        if clip and clip.samples + pause + lengths[index] <= target:
            clip = _extended(clip, pause, _alone(index, lengths[index]))
            continue
        if clip:
            yield clip
        clip, target = _alone(index, lengths[index]), 0
        if random.random() < config.join_probability:
            target = int(random.uniform(clip.samples, max(clip.samples, limit)))
    if clip:
        yield clip


def _extended(clip: Clip, pause: int, more: Clip) -> Clip:
    return Clip(
        clip.utterances + more.utterances,
        (*clip.silences[:-1], pause, *more.silences[1:]),
        clip.samples + pause + more.samples,
    )


def _surrounded(
    clip: Clip, config: AugmentationConfig, limit: int, random: np.random.Generator
) -> Clip:
    """The clip with silence at both ends, as far as there is room, or as it is."""
    ends = random.uniform(0, config.silence_seconds, 2) * SAMPLE_RATE
    room = max(0, limit - clip.samples)
    if random.random() >= config.silence_probability or not room:
        return clip
    before, behind = (ends * min(1.0, room / max(ends.sum(), 1))).astype(int).tolist()
    silences = (before, *clip.silences[1:-1], behind)
    return Clip(clip.utterances, silences, clip.samples + before + behind)


def _wordless(clips: list[Clip], share: float, random: np.random.Generator) -> list[Clip]:
    like = random.choice(len(clips), round(share * len(clips))).tolist() if clips else []
    return [Clip((), (clips[index].samples,), clips[index].samples) for index in like]
