"""Drawn tokens: by the request's own generator, whatever others draw."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.decoding import BeamSearch, decode_all
from auricle.decoding.logits_processors import token_log_probs
from auricle.decoding.search import Sampling
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage
from tests.asr.decoding.scripted import NAN_SCRIPT, ScriptedDecoder, script
from tests.asr.tiny import DTYPES, decoded, prepared_model, utterances

WORDY = ScriptedDecoder(40, end_bonus=-50.0)


def drawn(
    seed: int | None, temperature: float = 1.0, *, number: int = 0, decoder: ScriptedDecoder = WORDY
) -> Hypothesis:
    search = BeamSearch(
        1, 20, end=Tokenizer.end_id, sampling=Sampling(temperature=temperature, seed=seed)
    )
    (found,) = decode_all(decoder.decoder, [script(number)], [search], Tokenizer.special)
    return found.best()


@settings(max_examples=12)
@given(seed=st.integers(0, 2**63 - 1), temperature=st.floats(0.01, 10))
def test_a_seed_says_all(seed: int, temperature: float) -> None:
    assert drawn(seed, temperature) == drawn(seed, temperature)


def test_seeds_differ_and_so_do_temperatures() -> None:
    assert len({drawn(seed).tokens for seed in range(50)}) == 50
    assert len({drawn(0, temperature).tokens for temperature in (0.1, 1.0, 10.0)}) == 3


def test_without_a_seed_it_is_new_each_time() -> None:
    """Twenty of forty tokens: the same ones twice will not happen."""
    assert len({drawn(None, 10.0).tokens for _ in range(5)}) == 5


def test_scripts_differ() -> None:
    """What is drawn depends on what is heard, too."""
    assert len({drawn(0, 0.5, number=number).tokens for number in range(20)}) == 20


companions = st.lists(
    st.builds(
        Part,
        st.integers(0, 9),
        st.sampled_from([0, 0, 1, 4]),
        st.one_of(
            st.just(DecodingOptions()),
            st.just(DecodingOptions(beam_size=3)),
            st.builds(
                DecodingOptions,
                temperature=st.sampled_from([0.5, 2.0]),
                seed=st.sampled_from([None, None, 0, 7]),
            ),
        ),
        st.sampled_from([None, None, 2]),
    ),
    max_size=8,
)


@settings(max_examples=8)
@given(before=companions, after=companions, seed=st.integers(0, 9))
def test_no_company_changes_what_is_drawn(before: list[Part], after: list[Part], seed: int) -> None:
    """Others draw with the same seed, with another one, with none, or not at all."""
    mine = Part(3, options=DecodingOptions(temperature=1.0, seed=seed))
    stage = Stage(WORDY.decoder, [script(number, 20) for number in range(10)])
    found = stage.play([*before, mine, *after])[len(before)]
    assert found == stage.alone(mine)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_of_drawn_ones_is_each_of_them_alone(dtype: torch.dtype) -> None:
    model, options = prepared_model(dtype), DecodingOptions(temperature=0.7, seed=11)
    with torch.inference_mode():
        encoder_outs = model.encoder.encode(utterances(model.config, dtype))
    together = decoded(model, encoder_outs, options)
    assert together == [decoded(model, [out], options)[0] for out in encoder_outs]
    assert together != decoded(model, encoder_outs)


@pytest.mark.parametrize("number", range(4))
def test_near_zero_it_is_the_greedy_search(number: int) -> None:
    decoder = ScriptedDecoder(12, end_bonus=0.5)
    expected = decoder.search(number, BeamSearch(1, 20, end=Tokenizer.end_id))
    assert drawn(5, 1e-5, number=number, decoder=decoder) == expected


def test_a_first_token_is_drawn_as_often_as_it_is_likely() -> None:
    """Over the seeds; chi-squared below its 99.9 % point for 8 degrees of freedom."""
    decoder, count = ScriptedDecoder(12), 600
    searches = [
        BeamSearch(1, 1, end=Tokenizer.end_id, sampling=Sampling(temperature=2.0, seed=seed))
        for seed in range(count)
    ]
    decode_all(decoder.decoder, [script(4)] * count, searches, Tokenizer.special)
    found = Counter((*search.best().tokens, Tokenizer.end_id)[0] for search in searches)
    logits = decoder.following(4, (Tokenizer.start_id,))
    expected = count * (
        token_log_probs(logits[None], Tokenizer.special.suppressed)[0] / 2.0
    ).softmax(dim=-1)
    said = [token for token in range(12) if float(expected[token]) > 0]
    assert len(said) == 9
    assert min(expected[said]) > 4
    chi_squared = sum((found[t] - float(expected[t])) ** 2 / float(expected[t]) for t in said)
    assert chi_squared < 26.1


def test_its_confidence_is_the_models() -> None:
    decoder = ScriptedDecoder(12)
    found = drawn(5, 2.0, decoder=decoder)
    said = [*found.tokens, *([Tokenizer.end_id] if found.ended else [])]
    assert found.log_prob == pytest.approx(decoder.log_prob(0, said), abs=1e-4)


def test_what_is_not_finite_cannot_be_drawn_from() -> None:
    stage = Stage(WORDY.decoder, [script(NAN_SCRIPT, 20), script(1, 20)])
    options = DecodingOptions(temperature=1.0, seed=1)
    answers = stage.play([Part(0, options=options), Part(1, options=options)])
    assert answers[0] is None
    assert answers[1] == stage.alone(Part(1, options=options))


@pytest.mark.parametrize("temperature", [1e-300, 5e-324, 1e-40, 1e-7])
def test_however_cold_it_draws_the_likeliest(temperature: float) -> None:
    (greedy,) = decode_all(
        WORDY.decoder, [script(0)], [BeamSearch(1, 20, end=Tokenizer.end_id)], Tokenizer.special
    )
    assert drawn(1, temperature).tokens == greedy.best().tokens
