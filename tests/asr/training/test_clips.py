"""An epoch's clips: every utterance once, silence where it belongs, all lengths."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.clips import Clip, plan_clips, render
from auricle.training.config import AugmentationConfig

OFF = AugmentationConfig()
ON = AugmentationConfig(
    join_probability=0.5, join_pause=(0.2, 0.8), silence_probability=0.5, empty_share=0.1
)
LENGTHS = (np.random.default_rng(0).uniform(1, 12, 400) * SAMPLE_RATE).astype(int).tolist()
PROBABILITY = st.sampled_from([0.0, 0.3, 1.0])


def plan(config: AugmentationConfig, seed: int = 1, epoch: int = 0) -> list[Clip]:
    return plan_clips(LENGTHS, config, 30.0, seed=seed, epoch=epoch)


def test_off_each_utterance_is_a_clip() -> None:
    for epoch in (0, 3):
        clips = plan(OFF, epoch=epoch)
        assert clips == [Clip((i,), (0, 0), samples) for i, samples in enumerate(LENGTHS)]


@given(
    lengths=st.lists(st.integers(1, 20 * SAMPLE_RATE), max_size=30),
    join=PROBABILITY,
    silence=PROBABILITY,
    empty=PROBABILITY,
    max_seconds=st.floats(0.5, 30.0),
)
def test_every_utterance_once_and_within_the_limit(
    lengths: list[int], join: float, silence: float, empty: float, max_seconds: float
) -> None:
    config = replace(OFF, join_probability=join, silence_probability=silence, empty_share=empty)
    clips = plan_clips(lengths, config, max_seconds, seed=1, epoch=2)
    said = sorted(index for clip in clips for index in clip.utterances)
    assert said == list(range(len(lengths)))
    spoken = [clip for clip in clips if clip.utterances]
    assert len(clips) - len(spoken) == round(empty * len(spoken))
    for clip in clips:
        assert len(clip.silences) == len(clip.utterances) + 1
        assert min(clip.silences) >= 0
        assert clip.samples == sum(clip.silences) + sum(lengths[i] for i in clip.utterances)
        longest = max((lengths[i] for i in clip.utterances), default=clip.samples)
        if clip.utterances:
            assert clip.samples <= max(longest, round(max_seconds * SAMPLE_RATE))


def test_a_seed_and_an_epoch_decide_the_clips() -> None:
    assert plan(ON) == plan(ON)
    assert plan(ON) != plan(ON, seed=2)
    assert plan(ON) != plan(ON, epoch=1)


def test_all_lengths_are_seen() -> None:
    clips = [clip for epoch in range(5) for clip in plan(ON, epoch=epoch)]
    counts, _ = np.histogram([clip.seconds for clip in clips], bins=np.arange(1, 31, 3))
    assert counts.min() > 0.02 * len(clips)
    assert max(clip.seconds for clip in clips) <= 30.0


def test_pauses_and_ends_are_as_long_as_they_may_be() -> None:
    config = replace(ON, silence_seconds=0.5)
    clips = [clip for clip in plan(config) if clip.utterances]
    pauses = [pause / SAMPLE_RATE for clip in clips for pause in clip.silences[1:-1]]
    assert len(pauses) > 50
    assert min(pauses) >= 0.2
    assert max(pauses) <= 0.8
    ends = [clip.silences[end] / SAMPLE_RATE for clip in clips for end in (0, -1)]
    assert max(ends) <= 0.5
    assert 0.3 < np.mean([clip.silences[0] > 0 for clip in clips]) < 0.7


def test_clips_without_words_are_as_long_as_others() -> None:
    clips = plan(ON)
    spoken = {clip.samples for clip in clips if clip.utterances}
    wordless = [clip for clip in clips if not clip.utterances]
    assert len(wordless) == round(0.1 * (len(clips) - len(wordless)))
    assert all(clip.samples in spoken for clip in wordless)


def test_a_clip_sounds_as_planned() -> None:
    one, other = torch.rand(1_600), -torch.rand(3_200)
    clip = Clip((3, 7), (10, 20, 30), 4_860)
    seed_everything(0)
    sound = render(clip, [one, other])
    assert torch.equal(sound[10:1_610], one)
    assert torch.equal(sound[1_630:4_830], other)
    assert len(sound) == clip.samples
    gaps = torch.cat([sound[:10], sound[1_610:1_630], sound[4_830:]])
    assert gaps.any()
    assert gaps.abs().max() < 5.0


@pytest.mark.parametrize("wordless", [False, True])
def test_an_utterance_alone_is_itself_and_draws_nothing(wordless: bool) -> None:
    samples = torch.rand(2_000)
    seed_everything(0)
    before = torch.get_rng_state()
    if wordless:
        assert len(render(Clip((), (500,), 500), [])) == 500
    else:
        assert torch.equal(render(Clip((0,), (0, 0), 2_000), [samples]), samples)
    assert torch.equal(torch.get_rng_state(), before) != wordless
