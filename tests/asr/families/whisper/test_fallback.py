"""Which answers are believed: against openai-whisper's `transcribe`, given the same answers."""

import functools
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.decoding.passes import DecodingPass
from auricle.decoding.repetition import RepetitionGuard
from auricle.decoding.utterance_facts import UtteranceFacts
from auricle.families.whisper.fallback import (
    FallbackThresholds,
    Quality,
    average_log_prob,
    compression_ratio,
)
from auricle.families.whisper.passes import WhisperPasses
from auricle.families.whisper.policy import WhisperPolicy, temperatures
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from tests.asr.tokenizer.unicode_lines import vocabulary

pytest.importorskip("whisper")

import torch
from whisper.decoding import DecodingOptions as TheirOptions
from whisper.decoding import DecodingResult
from whisper.model import ModelDimensions
from whisper.utils import compression_ratio as their_ratio

transcribe = importlib.import_module("whisper.transcribe")  # a function has its name, too
LADDER = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@functools.cache
def some_words() -> tuple[int, ...]:
    return tuple(vocabulary().encode(" some words"))


@dataclass
class ScriptedModel:
    """As much of a model as `transcribe` needs, with an answer for each temperature."""

    qualities: Sequence[Quality]
    asked: list[float] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    is_multilingual: bool = True
    num_languages: int = 99

    @property
    def dims(self) -> ModelDimensions:
        return ModelDimensions(80, 1500, 8, 1, 1, 51865, 448, 8, 1, 1)

    def decode(self, segment: object, options: TheirOptions) -> DecodingResult:
        quality = self.qualities[len(self.asked)]
        self.asked.append(options.temperature)
        return DecodingResult(
            audio_features=torch.zeros(1),
            language="en",
            tokens=list(some_words()),
            text="some words",
            avg_logprob=quality.average_log_prob,
            no_speech_prob=quality.no_speech,
            temperature=options.temperature,
            compression_ratio=quality.compression_ratio,
        )


class ScriptedPasses(WhisperPasses):
    """With the same answers."""

    qualities: Sequence[Quality] = ()
    asked = 0

    def _quality(self, hypothesis: Hypothesis) -> Quality:
        self.asked += 1
        return self.qualities[self.asked - 1]


def by_openai(qualities: Sequence[Quality]) -> tuple[list[float], bool]:
    """The temperatures that were tried, and whether words were said in the end."""
    model = ScriptedModel(qualities)
    audio = np.zeros(1_600, np.float32)
    answer = transcribe.transcribe(model, audio, language="en", fp16=False)
    return model.asked, bool(answer["segments"])


def by_us(qualities: Sequence[Quality]) -> tuple[list[float], bool]:
    passes = WhisperPolicy(vocabulary()).passes(
        DecodingOptions(language="en", fallback=True), UtteranceFacts()
    )
    scripted = ScriptedPasses(passes._tokenizer, passes._plan)
    scripted.qualities = qualities
    decoding_pass: DecodingPass | None = scripted.first()
    asked = []
    while decoding_pass is not None:
        asked.append(decoding_pass.search.sampling.temperature)
        decoding_pass = scripted.next_after(Hypothesis(some_words(), -1.0))
    answer = scripted.result()
    assert answer.temperature == asked[-1]
    assert answer.guards == (() if answer.tokens else ("no_speech",))
    return asked, bool(answer.tokens)


qualities = st.builds(
    Quality,
    st.sampled_from([-3.0, -1.001, -1.0, -0.999, -0.2]),
    st.sampled_from([0.8, 2.4, 2.401, 5.0]),
    st.sampled_from([0.0, 0.6, 0.601, 0.99]),
)


@settings(max_examples=60)
@given(st.lists(qualities, min_size=6, max_size=6))
def test_the_same_answers_are_believed(script: list[Quality]) -> None:
    assert by_us(script) == by_openai(script)


def test_both_outcomes_are_met() -> None:
    good, doubtful = Quality(-0.2, 1.0, 0.1), Quality(-2.0, 1.0, 0.1)
    silent = Quality(-2.0, 3.0, 0.9)
    assert by_us([good]) == ([0.0], True)
    assert by_us([doubtful, good]) == ([0.0, 0.2], True)
    assert by_us([silent]) == ([0.0], False)
    assert by_us([doubtful] * 6) == (list(LADDER), True)


def test_temperatures() -> None:
    assert temperatures(DecodingOptions(fallback=True)) == LADDER
    assert temperatures(DecodingOptions(temperature=0.5, fallback=True)) == (0.5, 0.7, 0.9)
    assert temperatures(DecodingOptions(temperature=3.0, fallback=True)) == (3.0,)
    assert temperatures(DecodingOptions()) == (0.0,)


@given(st.text(max_size=100))
def test_the_ratio_is_openais(text: str) -> None:
    assert compression_ratio(text) == their_ratio(text)


def test_end_counts_in_the_mean() -> None:
    assert average_log_prob(Hypothesis((5, 6, 7), -8.0)) == -2.0
    assert average_log_prob(Hypothesis((), -3.0, ended=False)) == -3.0


def test_nothing_is_held_against_what_nobody_knows() -> None:
    assert not FallbackThresholds().is_silence(Quality(-2.0, 1.0, math.nan))


@pytest.mark.parametrize("words", [" you", " thank you", " Thank you for watching!"])
def test_a_loop_is_doubtful_unless_a_guard_cuts_it(words: str) -> None:
    """So that guard would keep it from being searched again."""
    loop = tuple(vocabulary().encode(10 * words))
    cuts = (RepetitionGuard().cut(loop[:length]) for length in range(1, len(loop) + 1))
    cut = next(tokens for tokens in cuts if tokens is not None)
    ratios = [compression_ratio(vocabulary().decode(tokens)) for tokens in (loop, cut)]
    doubts = [FallbackThresholds().needs_fallback(Quality(0.0, ratio, 0.0)) for ratio in ratios]
    assert doubts == [True, False]


def test_a_letter_of_some_scripts_has_many_tokens() -> None:
    """What the guard `rate` allows in 2 s, these ten syllables exceed."""
    burmese = "ကျွန်တော်မြန်မာစကားပြောတတ်ပါတယ်"
    assert len(vocabulary().encode(burmese)) > 90
