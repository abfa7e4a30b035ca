"""Whoever joins and leaves beside it, an utterance is what it is alone, to the last bit."""

import functools
import random

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from auricle.decoding import (
    BeamSearch,
    ContinuousDecoder,
    Posteriors,
    decode_all,
    new_search,
)
from auricle.hypothesis import Hypothesis
from auricle.model import new_cache
from auricle.tokenizer import Tokenizer
from auricle_types.errors import InferenceError
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage, parts
from tests.asr.decoding.scripted import NAN_SCRIPT, ScriptedDecoder, remembered, script
from tests.asr.model.slots import Kind, empty_cache
from tests.asr.tiny import (
    DTYPES,
    SECONDS,
    Positions,
    decoded,
    posteriors,
    prepared_model,
    tiny_model,
    utterances,
)

BEAM = DecodingOptions(beam_size=3)


@functools.cache
def speeches(positions: Positions, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """`encoder_out (N, D)` of the sounds."""
    model = prepared_model(dtype, positions)
    with torch.inference_mode():
        return model.encoder.encode(utterances(model.config, dtype))


@functools.cache
def heard(positions: Positions, dtype: torch.dtype = torch.float32) -> list[Posteriors]:
    """By CTC."""
    return posteriors(prepared_model(dtype, positions), speeches(positions, dtype))


def stage_of(positions: Positions, dtype: torch.dtype = torch.float32, slots: int = 8) -> Stage:
    decoder, encoder_outs = prepared_model(dtype, positions).decoder, speeches(positions, dtype)
    cache = new_cache(decoder, slots=slots, max_frames=100)
    return Stage(decoder, encoder_outs, cache=cache, posteriors=heard(positions, dtype))


@functools.cache
def said_alone(
    positions: Positions,
    speech: int,
    options: DecodingOptions,
    dtype: torch.dtype = torch.float32,
) -> Hypothesis | None:
    return stage_of(positions, dtype).alone(Part(speech, options=options))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
@settings(max_examples=4)
@given(play=parts(len(SECONDS)))
def test_any_company_changes_no_bit(
    dtype: torch.dtype, positions: Positions, play: list[Part]
) -> None:
    for number, found in stage_of(positions, dtype).play(play).items():
        part = play[number]
        if found is None:
            assert part.stay is not None
        else:
            assert found == said_alone(positions, part.speech, part.options, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("slots", [6, 16, 40])
def test_the_number_of_slots_changes_no_bit(dtype: torch.dtype, slots: int) -> None:
    """Six are fewer than a product needs, forty are no whole groups."""
    options = [DecodingOptions(beam_size=size, max_tokens=12) for size in (1, 2, 3)]
    play = [Part(n % len(SECONDS), options=options[n % 3]) for n in range(14)]
    for number, found in stage_of("rotary", dtype, slots).play(play).items():
        expected = said_alone("rotary", play[number].speech, play[number].options, dtype)
        assert found == expected


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_comparison_can_fail(dtype: torch.dtype) -> None:
    """Different sounds and different searches give different answers."""
    tokens = {
        said_alone("rotary", speech, options, dtype)
        for speech in range(len(SECONDS))
        for options in (DecodingOptions(), BEAM)
    }
    assert len(tokens) > len(SECONDS) + 2


@settings(max_examples=20)
@given(play=parts(10, drawn=False))
def test_slots_are_never_mixed_up(kind: Kind, play: list[Part]) -> None:
    """Against a search that has no cache and sees every token."""
    decoder = ScriptedDecoder(12, end_bonus=0.5)
    cache = empty_cache(kind, decoder.config, slots=8, group=4)
    scripts = [script(number, 10 + number) for number in range(10)]
    stage = Stage(decoder.decoder, scripts, cache=cache)
    for number, found in stage.play(play).items():
        part = play[number]
        if found is not None:
            search = new_search(part.options, 10 + part.speech, end=Tokenizer.end_id)
            assert found == decoder.search(part.speech, search)


@settings(max_examples=20)
@given(play=parts(10))
def test_tied_tokens_are_chosen_alike_in_any_company(play: list[Part]) -> None:
    """Half precision makes many log-probabilities equal."""
    stage = Stage(tied().decoder, [script(number, 10) for number in range(10)])
    for number, found in stage.play(play).items():
        assert found is None or found == stage.alone(play[number])


@functools.cache
def tied() -> ScriptedDecoder:
    return ScriptedDecoder(40, levels=1.5)


def test_no_slot_is_lost_in_a_long_run() -> None:
    chance = random.Random(0)
    play = [
        Part(
            chance.randrange(10),
            chance.randrange(4),
            DecodingOptions(beam_size=chance.randint(1, 6)),
            chance.choice([None, None, 0, 2, 5]),
        )
        for _ in range(200)
    ]
    decoder = ScriptedDecoder(12).decoder
    cache = new_cache(decoder, slots=11, max_frames=12)
    stage = Stage(decoder, [script(n, 12) for n in range(10)], cache=cache)
    answers = stage.play(play)
    assert len(answers) == 200
    assert 50 < sum(answer is None for answer in answers.values()) < 150
    assert sorted(stage.continuous._free) == list(range(11))
    assert not stage.cache.opened
    assert not stage.continuous._running


def test_what_is_not_finite_fails_alone() -> None:
    decoder = ScriptedDecoder(12, end_bonus=-5.0)
    continuous = decoder.continuous(slots=8)
    searches = [
        BeamSearch(1, 6, end=Tokenizer.end_id),
        BeamSearch(2, 6, end=Tokenizer.end_id),
        BeamSearch(3, 6, end=Tokenizer.end_id),
    ]
    joined = [
        continuous.join(remembered(number, 6), search)
        for number, search in zip((1, NAN_SCRIPT, 2), searches, strict=True)
    ]
    done = {}
    for step in range(1, 7):
        for decoding in continuous.step():
            done[decoding] = step
            continuous.leave(decoding)
    assert done[joined[1]] == 3
    assert isinstance(joined[1].error, InferenceError)
    assert joined[0].error is joined[2].error is None
    assert searches[0].best() == decoder.search(1, BeamSearch(1, 6, end=Tokenizer.end_id))
    assert searches[2].best() == decoder.search(2, BeamSearch(3, 6, end=Tokenizer.end_id))
    assert continuous.free_slots == 8


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_slot_forgets_what_was_not_finite(kind: Kind, value: float) -> None:
    """Its next utterance is shorter, so that masked keys still hold what the last one left."""
    model, (long, *_) = tiny_model(), sorted(speeches("rotary"), key=len, reverse=True)
    cache = empty_cache(kind, model.config.transformer, slots=9)
    spoilt_too = [*speeches("rotary"), torch.full_like(long, value)]
    spoilt_by_ctc, *_ = sorted(heard("rotary"), key=lambda each: -each.frames)
    listened = [*heard("rotary"), spoilt_by_ctc]
    stage = Stage(model.decoder, spoilt_too, cache=cache, posteriors=listened)
    spoilt, options = len(SECONDS), DecodingOptions(beam_size=3)
    play = [Part(spoilt, options=options)] * 3 + [Part(n, 4, options) for n in range(len(SECONDS))]
    answers = stage.play(play)
    assert [answers[n] for n in range(3)] == [None] * 3
    for speech in range(len(SECONDS)):
        found, expected = answers[3 + speech], said_alone("rotary", speech, options)
        assert found is not None
        assert expected is not None
        assert found.tokens == expected.tokens
        assert found == expected or kind == "slotted"


def test_a_step_serves_all_ages_limits_and_kinds() -> None:
    """The second joins two steps after the first, which still leaves by its own limit."""
    decoder = ScriptedDecoder(12, end_bonus=-50.0)
    continuous = decoder.continuous(slots=8)
    first = continuous.join(remembered(0, 9), BeamSearch(1, 4, end=Tokenizer.end_id))
    assert continuous.step() == continuous.step() == []
    second = continuous.join(remembered(1, 9), BeamSearch(2, 3, end=Tokenizer.end_id))
    assert continuous.step() == []
    assert continuous.step() == [first]
    continuous.leave(first)
    assert continuous.step() == [second]
    continuous.leave(second)
    assert continuous.step() == []
    assert [len(d.search.best().tokens) for d in (first, second)] == [4, 3]
    assert len(decoder.rows) == 5


@pytest.mark.parametrize(
    ("kind", "rows"), [("ragged", [16, 32, 16, 16, 16]), ("slotted", [32, 32, 32, 16, 16])]
)
def test_only_groups_with_somebody_in_them_are_computed(kind: Kind, rows: list[int]) -> None:
    """Of rows that are open, or of slots up to the last open one."""
    decoder = ScriptedDecoder(12, end_bonus=-50.0)
    cache = empty_cache(kind, decoder.config, slots=64, max_frames=9)
    continuous = ContinuousDecoder(decoder.decoder, cache, special=Tokenizer.special)
    assert continuous.step() == []
    assert decoder.rows == []
    joined = [
        continuous.join(remembered(number, 9), BeamSearch(4, 9, end=Tokenizer.end_id))
        for number in range(6)
    ]
    continuous.step()  # of one hypothesis each
    continuous.step()  # of four
    for decoding in joined[1:5]:
        continuous.leave(decoding)
    continuous.step()
    continuous.leave(joined[5])
    continuous.step()
    low = continuous.join(remembered(0, 9), BeamSearch(1, 9, end=Tokenizer.end_id))
    assert low.slots == [4]  # the lowest that is free
    continuous.step()
    assert decoder.rows == rows


def test_joining_without_room_takes_no_slots() -> None:
    continuous = ScriptedDecoder(12).continuous(slots=4)
    held = continuous.join(remembered(0, 9), BeamSearch(2, 9, end=Tokenizer.end_id))
    with pytest.raises(ValueError, match="3 slots wanted where 2 are free"):
        continuous.join(remembered(0, 9), BeamSearch(3, 9, end=Tokenizer.end_id))
    with pytest.raises(ValueError, match="10 frames where 9 fit"):
        continuous.join(remembered(0, 10), BeamSearch(1, 9, end=Tokenizer.end_id))
    assert continuous.free_slots == 2
    continuous.leave(held)
    assert continuous.free_slots == 4


def test_nobody_leaves_twice() -> None:
    continuous = ScriptedDecoder(12).continuous(slots=4)
    held = continuous.join(remembered(0, 9), BeamSearch(2, 9, end=Tokenizer.end_id))
    continuous.leave(held)
    with pytest.raises(ValueError, match="not in list"):
        continuous.leave(held)
    assert continuous.free_slots == 4


def test_all_are_decoded_to_the_last() -> None:
    decoder = ScriptedDecoder(12, end_bonus=0.5)
    numbers = range(20)
    searches = [BeamSearch(1 + n % 3, 6, end=Tokenizer.end_id) for n in numbers]
    found = decode_all(decoder.decoder, [script(n) for n in numbers], searches, Tokenizer.special)
    expected = [decoder.search(n, BeamSearch(1 + n % 3, 6, end=Tokenizer.end_id)) for n in numbers]
    assert [search.best() for search in found] == expected
    assert {hypothesis.ended for hypothesis in expected} == {True, False}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_of_sounds_is_each_of_them_alone(dtype: torch.dtype) -> None:
    model, encoder_outs = prepared_model(dtype), speeches("rotary", dtype)
    together = decoded(model, encoder_outs, BEAM)
    assert together == [decoded(model, [out], BEAM)[0] for out in encoder_outs]
    assert all(Tokenizer.end_id not in hypothesis.tokens for hypothesis in together)
