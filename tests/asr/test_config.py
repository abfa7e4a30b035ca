"""Dimensions and options: what derives from them and what they refuse."""

import json
import math
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import (
    Calibration,
    FeatureConfig,
    ModelConfig,
    SpecialTokens,
    TransformerConfig,
    strided,
)
from auricle_types.errors import InvalidOptionError
from auricle_types.options import CTC_WEIGHT, DecodingOptions, EngineConfig
from tests.asr.tiny import ARCHITECTURES, Positions, tiny_config


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_model_config_survives_json(positions: Positions, conv_kernel: int) -> None:
    config = tiny_config(positions, conv_kernel)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("missing", ["features", "transformer"])
def test_a_model_config_needs_its_parts(missing: str) -> None:
    values = tiny_config().to_dict()
    del values[missing]
    with pytest.raises(KeyError):
        ModelConfig.from_dict(values)


def test_a_model_config_takes_no_strangers() -> None:
    with pytest.raises(TypeError, match="colour"):
        ModelConfig.from_dict({**tiny_config().to_dict(), "colour": "red"})


def test_a_checkpoint_from_before_calibration_has_none() -> None:
    values = tiny_config().to_dict()
    del values["calibration"]
    assert ModelConfig.from_dict(values).calibration == Calibration()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 20), st.floats(-20, 20))
def test_the_likelier_is_never_the_less_confident(
    one: float, other: float, slope: float, offset: float
) -> None:
    calibration = Calibration(slope, offset)
    low, high = sorted((one, other))
    assert 0 <= calibration.confidence(low) <= calibration.confidence(high) <= 1
    assert Calibration().confidence(one) == one


def test_a_calibration_by_hand() -> None:
    """Odds of 1 to 3, squared and doubled: 2 to 9."""
    assert Calibration(2.0, math.log(2)).confidence(0.25) == pytest.approx(2 / 11)


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (-1.0, 0.0), (1.0, math.nan), (math.inf, 0.0)])
def test_a_calibration_rises(wrong: tuple[float, float]) -> None:
    with pytest.raises(InvalidOptionError):
        Calibration(*wrong)


def test_times_derive_from_the_features() -> None:
    config = ModelConfig()
    assert config.features.frames_per_second == 100.0
    assert config.transformer.subsampling == 4
    assert config.transformer.head_dim * config.transformer.n_heads == config.transformer.d_model


@given(st.integers(1, 10_000))
def test_frames_cover_the_samples(samples: int) -> None:
    frames = FeatureConfig().x_len(samples)
    assert (frames - 1) * 160 < samples <= frames * 160


@given(st.integers(1, 1_000), st.lists(st.integers(1, 4), max_size=3))
def test_encoder_frames_are_rounded_up_at_every_stride(x_len: int, strides: list[int]) -> None:
    config = TransformerConfig(stem=strided(*strides))
    expected = -(-x_len // config.subsampling)  # rounding up at each is rounding up once
    assert config.encoder_len(x_len) == expected >= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vocab_size", 0),
        ("d_model", -8),
        ("d_model", 190),
        ("d_model", 192.0),
        ("n_heads", 0),
        ("n_heads", 64),
        ("encoder_layers", 0),
        ("decoder_layers", 0),
        ("ffn_dim", 0),
        ("conv_kernel", 8),
        ("conv_kernel", 14),
        ("conv_kernel", -1),
        ("positions", "absolute"),
        ("dropout", 1.0),
        ("dropout", -0.1),
    ],
)
def test_impossible_dimensions_are_refused(name: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=name):
        TransformerConfig(**{name: value})


@pytest.mark.parametrize("name", ["n_mels", "n_fft", "hop_length"])
def test_impossible_features_are_refused(name: str) -> None:
    with pytest.raises(InvalidOptionError, match=name):
        FeatureConfig(**{name: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_windows_are_refused(seconds: float) -> None:
    with pytest.raises(InvalidOptionError, match="window_seconds"):
        ModelConfig(window_seconds=seconds)
    with pytest.raises(InvalidOptionError, match="tokens_per_second"):
        ModelConfig(tokens_per_second=seconds)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("beam_size", [0, -1, 33]),
        ("max_tokens", [0, -1]),
        ("length_penalty", [-0.1, 10.5, float("nan"), float("inf")]),
        ("temperature", [-0.1, 10.5, float("nan"), float("inf")]),
        ("seed", [-1, 2**63]),
        ("ctc_weight", [-0.1, 1.1, float("nan")]),
        ("lm_weight", [-0.1, 10.1, float("nan")]),
        ("token_reward", [-0.1, 101.0, float("nan"), float("inf")]),
    ],
)
def test_impossible_options_are_refused(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(InvalidOptionError, match=f"{name} must be"):
            DecodingOptions(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_queue", 0),
        ("max_encode_seconds", 0.0),
        ("max_encode_seconds", -1.0),
        ("slots", 0),
        ("slots", 1.5),
        ("max_cache_mib", 0),
    ],
)
def test_impossible_budgets_are_refused(name: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=name):
        EngineConfig(**{name: value})


def test_a_beam_does_not_sample() -> None:
    with pytest.raises(InvalidOptionError, match="temperature must be 0 with a beam"):
        DecodingOptions(beam_size=2, temperature=0.5)
    assert DecodingOptions(beam_size=2, temperature=0.0, seed=1).seed == 1


def test_the_edges_are_allowed() -> None:
    assert DecodingOptions(beam_size=32, max_tokens=1, length_penalty=0.0).max_tokens == 1
    assert DecodingOptions(temperature=10.0, seed=2**63 - 1).temperature == 10.0
    assert TransformerConfig(conv_kernel=0, dropout=0.0).conv_kernel == 0
    assert [DecodingOptions(ctc_weight=weight).ctc_weight for weight in (0.0, 1.0)] == [0.0, 1.0]
    assert [DecodingOptions(ctc_weight=weight).ctc_share for weight in (0.0, 1.0)] == [0.0, 1.0]
    assert DecodingOptions().ctc_share == CTC_WEIGHT
    assert [DecodingOptions(lm_weight=weight).lm_weight for weight in (0.0, 10.0)] == [0.0, 10.0]
    assert EngineConfig(max_queue=1, max_encode_seconds=0.1, slots=1).max_queue == 1


def test_configs_are_frozen() -> None:
    for config in (ModelConfig(), DecodingOptions(), EngineConfig()):
        with pytest.raises(FrozenInstanceError):
            setattr(config, fields(config)[0].name, None)
    assert replace(DecodingOptions(), beam_size=4) != DecodingOptions()


def test_a_recipe_may_say_only_the_strides_of_its_stem() -> None:
    values: dict[str, Any] = {"subsampling_strides": [1, 2]}
    assert TransformerConfig.from_dict(values).stem == strided(1, 2)
    assert TransformerConfig.from_dict({}).stem == strided(2, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positions", "learned"),  # how many is not said
        ("rotary_dim", 3),
        ("rotary_dim", 50),
        ("decoder_ffn", "relu"),
    ],
)
def test_choices_that_cannot_be_are_refused(name: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError):
        TransformerConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("audio_context", "some"), ("margin_seconds", -1.0)],
)
def test_impossible_models_are_refused(name: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=name):
        ModelConfig(**{name: value})


def test_the_header_keeps_the_names_of_the_first_files() -> None:
    values = tiny_config().to_dict()
    assert values["tokens"]["silent"] == SpecialTokens().suppressed
    assert "suppressed" not in values["tokens"]
    assert ModelConfig.from_dict(values) == tiny_config()


def test_samples_are_features_of_one_sample_each() -> None:
    assert FeatureConfig(n_mels=1, hop_length=1, kind="samples").x_len(7) == 7
    with pytest.raises(InvalidOptionError, match="samples"):
        FeatureConfig(kind="samples")


@given(st.integers(1, 100_000), st.sampled_from([0.0, 1.5]))
def test_what_is_heard_is_within_the_window(samples: int, margin: float) -> None:
    auto = replace(tiny_config(), margin_seconds=margin)
    heard = auto.encoded_samples(min(samples, auto.window))
    assert min(samples, auto.window) <= heard <= auto.window
    if not margin and samples > 160:
        assert heard == min(samples, auto.window)
    full = replace(auto, audio_context="full")
    assert full.encoded_samples(samples) == full.window


def test_alignment_heads_are_the_decoders() -> None:
    config = replace(tiny_config(), alignment_heads=((0, 1), (1, 0)))
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    for head in ((2, 0), (0, 2), (-1, 0)):
        with pytest.raises(InvalidOptionError, match="alignment_heads must be of 2 layers"):
            replace(config, alignment_heads=(head,))
