"""Each row becomes as long as the model hears it."""

from dataclasses import replace

import torch

from auricle.training.silence import with_silence
from tests.asr.tiny import tiny_config

SAMPLES, LENS = torch.ones(2, 3_000), torch.tensor([3_000, 2_000])


def test_who_hears_what_there_is_gets_what_there_is() -> None:
    samples, lens = with_silence(SAMPLES, LENS, tiny_config())
    assert lens.tolist() == LENS.tolist()
    assert samples.sum(dim=1).tolist() == [3_000.0, 2_000.0]
    assert samples.shape == SAMPLES.shape


def test_who_hears_a_window_gets_silence_behind() -> None:
    config = replace(tiny_config(), audio_context="full")
    samples, lens = with_silence(SAMPLES, LENS, config)
    assert samples.shape == (2, config.window)
    assert lens.tolist() == [config.window] * 2
    assert samples.sum(dim=1).tolist() == [3_000.0, 2_000.0]


def test_what_a_window_has_no_place_for_is_cut_off() -> None:
    config = replace(tiny_config(), audio_context="full", window_seconds=0.15)
    samples, _ = with_silence(SAMPLES, LENS, config)
    assert samples.shape == (2, 2_400)
    assert samples.sum(dim=1).tolist() == [2_400.0, 2_000.0]


def test_a_learned_position_is_there_for_every_frame() -> None:
    config = replace(tiny_config(), window_seconds=0.15)
    transformer = replace(config.transformer, positions="learned", max_frames=4, max_tokens=8)
    _, lens = with_silence(SAMPLES, LENS, replace(config, transformer=transformer))
    assert lens.tolist() == [2_400, 2_000]
