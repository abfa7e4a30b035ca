"""Processors and accelerators remember in different ways, and say the same."""

import functools

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from auricle.decoding import Posteriors
from auricle.hypothesis import Hypothesis
from auricle.model import SpeechTransformer
from auricle.model.graphs import GraphedStep
from auricle.model.ragged import RaggedCache
from auricle.model.slotted import SlottedCache
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage, parts
from tests.asr.model.slots import empty_cache
from tests.asr.model.tape import tape_recorder
from tests.asr.tiny import SECONDS, Positions, posteriors, tiny_model, utterances

MIXED = [
    Part(
        number % len(SECONDS), number % 3, DecodingOptions(beam_size=1 + number % 4, max_tokens=12)
    )
    for number in range(14)
]


@functools.cache
def speeches(positions: Positions) -> list[Tensor]:
    model = tiny_model(positions)
    with torch.inference_mode():
        return model.encoder.encode(utterances(model.config))


def heard(positions: Positions) -> list[Posteriors]:
    return posteriors(tiny_model(positions), speeches(positions))


def ragged_stage(model: SpeechTransformer, positions: Positions) -> Stage:
    cache = empty_cache("ragged", model.config.transformer, slots=10)
    assert isinstance(cache, RaggedCache)
    return Stage(model.decoder, speeches(positions), cache=cache, posteriors=heard(positions))


def slotted_stage(model: SpeechTransformer, positions: Positions, group: int = 4) -> Stage:
    cache = empty_cache("slotted", model.config.transformer, slots=10, group=group)
    assert isinstance(cache, SlottedCache)
    step = GraphedStep(model.decoder.step, tape_recorder)
    return Stage(
        model.decoder, speeches(positions), cache=cache, step=step, posteriors=heard(positions)
    )


def assert_alike(found: Hypothesis | None, expected: Hypothesis | None) -> None:
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.tokens, found.ended) == (expected.tokens, expected.ended)
        assert found.log_prob == pytest.approx(expected.log_prob, abs=1e-2)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_both_kinds_say_the_same(positions: Positions) -> None:
    """The slotted one by recorded steps, which repeat operations and nothing else."""
    model = tiny_model(positions)
    expected = ragged_stage(model, positions).play(MIXED)
    found = slotted_stage(model, positions).play(MIXED)
    assert len({hypothesis.tokens for hypothesis in expected.values() if hypothesis}) > 6
    for number, hypothesis in found.items():
        assert_alike(hypothesis, expected[number])


@settings(max_examples=5)
@given(play=parts(len(SECONDS)))
def test_both_kinds_say_the_same_of_any_play(play: list[Part]) -> None:
    found = slotted_stage(tiny_model(), "rotary").play(play)
    for number, expected in ragged_stage(tiny_model(), "rotary").play(play).items():
        assert_alike(found[number], expected)


def test_with_one_group_of_all_there_is_one_shape() -> None:
    """So a graph is recorded once, and no kernel depends on who is there."""
    model, shapes = tiny_model(), set()

    def step(tokens: Tensor, view: object) -> Tensor:
        shapes.add(view.shape)  # type: ignore[attr-defined]  # of the slotted cache
        return model.decoder.step(tokens, view)  # type: ignore[arg-type]

    cache = empty_cache("slotted", model.config.transformer, slots=10, group=10)
    Stage(model.decoder, speeches("rotary"), cache=cache, step=step).play(MIXED)
    assert shapes == {(10, 128, 128)}
