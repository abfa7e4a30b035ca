"""Long prompts are fed at once: the same words, sooner, in any company."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from auricle.decoding import ContinuousDecoder, continuous, new_search
from auricle.decoding.continuous import LONG_PROMPT
from auricle.decoding.passes import PassSetup
from auricle.hypothesis import Hypothesis
from auricle.model import Decoder, new_cache
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.tiny import DTYPES, VOCAB_SIZE, prepared_model, utterances

PROMPTS = (2, 30, 3, LONG_PROMPT + 1, 17)  # tokens
OPTIONS = [
    DecodingOptions(beam_size=1 + 2 * (number % 2), max_tokens=12) for number in range(len(PROMPTS))
]


@dataclass
class Look:
    """A `LogitsObserver`."""

    position: int
    seen: list[Tensor] = field(default_factory=list)

    def observe(self, logits: Tensor) -> None:
        self.seen.append(logits.clone())


def prompt(length: int) -> tuple[int, ...]:
    generator = torch.Generator().manual_seed(length)
    return tuple(torch.randint(4, VOCAB_SIZE, (length,), generator=generator).tolist())


@functools.cache
def speeches(dtype: torch.dtype) -> list[Tensor]:
    model = prepared_model(dtype)
    with torch.inference_mode():
        return model.encoder.encode(utterances(model.config, dtype))


def decoded(
    rows: Sequence[int], dtype: torch.dtype = torch.float32, looks: Sequence[Look] = ()
) -> tuple[list[Hypothesis], int]:
    """What those with these prompts say together, and in how many steps."""
    decoder = prepared_model(dtype).decoder
    cache = new_cache(decoder, slots=16, max_frames=100)
    together, steps = ContinuousDecoder(decoder, cache, special=Tokenizer.special), 0
    found = {}
    with torch.inference_mode():
        for row in rows:
            (memory,) = decoder.project_memory([speeches(dtype)[row % len(speeches(dtype))]])
            search = new_search(OPTIONS[row], 100, end=Tokenizer.end_id)
            setup = PassSetup(prompt(PROMPTS[row]), observers=tuple(looks))
            found[row] = together.join(memory, search, setup=setup)
    waiting = list(found.values())
    while waiting:
        steps += 1
        for done in together.step():
            together.leave(done)
            waiting.remove(done)
    return [found[row].result for row in rows], steps


def test_a_prompt_that_cannot_be_fed_takes_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = prepared_model(torch.float32).decoder
    together = ContinuousDecoder(
        decoder, new_cache(decoder, slots=2, max_frames=100), special=Tokenizer.special
    )
    with torch.inference_mode():
        (memory,) = decoder.project_memory([speeches(torch.float32)[0]])

    def fails(*_: object) -> None:
        raise torch.OutOfMemoryError("none left")

    def join() -> None:
        together.join(
            memory, new_search(OPTIONS[0], 100, end=Tokenizer.end_id), setup=PassSetup(prompt(30))
        )

    with monkeypatch.context() as patched:
        patched.setattr(decoder, "prefill", fails)
        for _ in range(3):
            with pytest.raises(torch.OutOfMemoryError):
                join()
    assert together.free_slots == 2
    assert together.step() == []
    join()
    assert together.free_slots == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_company_changes_no_bit(dtype: torch.dtype) -> None:
    together, _ = decoded(range(len(PROMPTS)), dtype)
    backwards, _ = decoded(range(len(PROMPTS))[::-1], dtype)
    alone = [decoded([row], dtype)[0][0] for row in range(len(PROMPTS))]
    assert together == backwards[::-1] == alone
    assert len({answer.tokens for answer in alone}) == len(PROMPTS)  # it heeds its prompt


@pytest.mark.parametrize("row", [1, 3, 4])
def test_it_is_as_token_by_token_but_sooner(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (0, PROMPTS[row] // 2, PROMPTS[row] - 1)
    looks, slow_looks = ([Look(place) for place in places] for _ in range(2))
    at_once, few = decoded([row], looks=looks)
    monkeypatch.setattr(continuous, "LONG_PROMPT", 1_000)
    one_by_one, many = decoded([row], looks=slow_looks)
    assert [each.tokens for each in at_once] == [each.tokens for each in one_by_one]
    assert at_once[0].score == pytest.approx(one_by_one[0].score, abs=1e-4)
    assert many - few == PROMPTS[row] - 1
    for look, slow in zip(looks, slow_looks, strict=True):
        (seen,), (expected,) = look.seen, slow.seen
        torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)


def test_nobody_looks_at_a_vocabulary_while_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counting(self: Decoder, decoder_out: Tensor) -> Tensor:
        calls.append(len(decoder_out))
        return logits(self, decoder_out)

    logits = Decoder.logits
    monkeypatch.setattr(Decoder, "logits", counting)
    _, steps = decoded([0])
    assert len(calls) == steps - (PROMPTS[0] - 1)
    calls.clear()
    _, steps = decoded([0], looks=[Look(0)])
    assert len(calls) == steps - (PROMPTS[0] - 1) + 1
