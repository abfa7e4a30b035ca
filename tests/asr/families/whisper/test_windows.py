"""Windows against openai-whisper's `transcribe`, given the same answers."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("whisper")

import torch
from whisper.decoding import DecodingOptions, DecodingResult
from whisper.model import ModelDimensions

from auricle.families.whisper.windows import TimestampWindows
from auricle.hypothesis import Hypothesis
from auricle_types.transcript import Word
from tests.asr.families.whisper.small_models import model as prepare_vocabulary
from tests.asr.tokenizer.unicode_lines import vocabulary

transcribe = importlib.import_module("whisper.transcribe")  # a function has its name, too
WINDOW = 3_000  # feature frames
Answer = tuple[tuple[int, ...], float, bool]  # tokens, temperature, whether anybody spoke


def answers(seed: int) -> Iterator[Answer]:
    """As the rules for times let a model say them."""
    random, begin = np.random.default_rng(seed), vocabulary().timestamp_begin
    while True:
        tokens, now = [begin + int(random.integers(0, 40))], 0
        now = tokens[0]
        for _ in range(random.integers(0, 4)):
            tokens += vocabulary().encode(f" word {random.integers(100)}")[: random.integers(0, 4)]
            if random.random() < 0.2:
                break  # no last time
            now = min(now + int(random.integers(0, 500)), begin + 1500)
            tokens.append(now)
            if random.random() < 0.7:
                tokens.append(now)
        yield tuple(tokens), float(random.choice([0.0, 0.4, 0.8])), bool(random.random() < 0.9)


@dataclass
class ScriptedModel:
    """As much of a model as `transcribe` needs."""

    script: Iterator[Answer]
    prompts: list[list[int]] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    is_multilingual: bool = True
    num_languages: int = 99

    @property
    def dims(self) -> ModelDimensions:
        return ModelDimensions(80, 1500, 8, 1, 1, 51865, 448, 8, 1, 1)

    def decode(self, segment: object, options: DecodingOptions) -> DecodingResult:
        prompt = options.prompt
        assert isinstance(prompt, list)
        self.prompts.append(list(prompt))
        tokens, temperature, spoken = next(self.script)
        return DecodingResult(
            audio_features=torch.zeros(1),
            language="en",
            tokens=list(tokens),
            avg_logprob=-0.5 if spoken else -5.0,
            no_speech_prob=0.1 if spoken else 0.9,
            temperature=temperature,
            compression_ratio=1.0,
        )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("prompt", [None, "names: Anna, Otto"])
def test_the_same_windows_prompts_and_segments(seed: int, prompt: str | None) -> None:
    prepare_vocabulary()
    seconds = 20 + 17.3 * (seed % 5)
    model = ScriptedModel(answers(seed))
    audio = np.zeros(round(seconds * 16_000), np.float32)
    expected = transcribe.transcribe(
        model, audio, language="en", fp16=False, temperature=0.0, initial_prompt=prompt
    )
    script, first = answers(seed), vocabulary().encode(f" {prompt}") if prompt else []
    windows = TimestampWindows(vocabulary(), round(seconds * 100), WINDOW, first)
    prompts, found = [], []
    while not windows.done:
        prompts.append(list(windows.prompt))
        tokens, temperature, spoken = next(script)
        said = tokens if spoken else ()
        found += windows.advance(Hypothesis(said, -1.0, temperature=temperature))
    assert prompts == model.prompts
    spoken_segments = [each for each in expected["segments"] if each["text"]]
    assert [each.text for each in found] == [each["text"].strip() for each in spoken_segments]
    for one, other in zip(found, spoken_segments, strict=True):
        assert (one.start, one.end) == pytest.approx((other["start"], other["end"]))


def test_several_windows_and_segments_were_met() -> None:
    windows = TimestampWindows(vocabulary(), 9_000, WINDOW)
    script, count, segments = answers(4), 0, 0
    while not windows.done:
        segments += len(windows.advance(Hypothesis(next(script)[0], -1.0)))
        count += 1
    assert count > 3
    assert segments > 4


def test_silence_moves_on_by_the_window() -> None:
    windows = TimestampWindows(vocabulary(), 4_000, WINDOW)
    assert (windows.start, windows.size) == (0, WINDOW)
    assert windows.advance(Hypothesis((), -1.0)) == []
    assert (windows.start, windows.size) == (3_000, 1_000)
    windows.advance(Hypothesis((), -1.0))
    assert windows.done


def test_words_go_to_their_stretch() -> None:
    """Those of words that have no end yet come with the next window."""
    begin, encode = vocabulary().timestamp_begin, vocabulary().encode
    tokens = (begin, *encode(" one two"), begin + 500, begin + 500, *encode(" three"))
    said = tuple(Word(at, at + 1.0, text, 0.5) for at, text in enumerate(("one", "two", "three")))
    windows = TimestampWindows(vocabulary(), 2 * WINDOW, WINDOW)
    windows.advance(Hypothesis((), -1.0))
    (heard,) = windows.advance(Hypothesis(tokens, -1.0, words=said))
    assert heard.text == "one two"
    assert heard.words == (Word(30.0, 31.0, "one", 0.5), Word(31.0, 32.0, "two", 0.5))
