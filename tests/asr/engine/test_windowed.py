"""Long audio in windows: what each is told, and what is made of its words."""

from concurrent.futures import Future
from typing import cast

import numpy as np
import pytest

pytest.importorskip("whisper")

from auricle.config import ModelConfig
from auricle.engine import Engine, Outcome, Request
from auricle.engine.windowed import in_windows
from auricle.families.whisper.policy import WhisperPolicy
from auricle.hypothesis import Hypothesis
from auricle.recognizer import Recognizer
from auricle_types.errors import InferenceError, InvalidOptionError
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt, Segment
from tests.asr.tiny import tiny_checkpoint
from tests.asr.tokenizer.unicode_lines import vocabulary

BEGIN = vocabulary().timestamp_begin
CONFIG = ModelConfig(window_seconds=30.0)


def words(text: str) -> tuple[int, ...]:
    return tuple(vocabulary().encode(text))


class ScriptedEngine:
    """Answers each request with the next of some hypotheses."""

    def __init__(self, *script: Hypothesis | Exception) -> None:
        self.script = list(script)
        self.requests: list[Request] = []

    def submit(self, request: Request, *, block: bool) -> Future[Outcome]:
        assert block
        self.requests.append(request)
        future: Future[Outcome] = Future()
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(Outcome(answer, Receipt("m", tokens=answer.steps)))
        return future


def heard(
    engine: ScriptedEngine,
    seconds: float,
    options: DecodingOptions,
    config: ModelConfig = CONFIG,
    context: int = 448,
) -> tuple[list[Segment], list[Receipt]]:
    samples = np.arange(round(seconds * 16_000), dtype=np.float32)
    policy = WhisperPolicy(vocabulary(), context)
    found = list(in_windows(cast(Engine, engine), config, policy, samples, options))
    segments = [segment for recognition in found for segment in recognition.segments]
    return segments, [recognition.receipt for recognition in found]


def test_windows_move_by_times_and_know_what_was_said() -> None:
    one, two, three = words(" one"), words(" two"), words(" three")
    first = (BEGIN, *one, BEGIN + 500, BEGIN + 500, *two)  # 10 s, then words without an end
    second = (BEGIN, *two, BEGIN + 100, BEGIN + 100, *three, BEGIN + 1200)
    engine = ScriptedEngine(
        Hypothesis(first, -1.0, language="de"), Hypothesis(second, -1.0, language="de")
    )
    segments, receipts = heard(engine, 35.0, DecodingOptions(prompt="names"))
    spans = [(each.start, each.end, each.text) for each in segments]
    assert spans == [(0.0, 10.0, "one"), (10.0, 12.0, "two"), (12.0, 34.0, "three")]
    assert {each.language for each in segments} == {"de"}
    assert len(receipts) == 2
    begin, after = engine.requests
    assert (begin.samples[0], len(begin.samples)) == (0.0, 30 * 16_000)
    assert (after.samples[0], len(after.samples)) == (10 * 16_000, 25 * 16_000)
    assert begin.options.prompt == words(" names")
    assert after.options.prompt == (*words(" names"), BEGIN, *one, BEGIN + 500)
    assert (begin.options.language, after.options.language) == (None, "de")


def test_what_was_said_long_ago_is_not_told() -> None:
    """A window is told no more than can be told, however long the audio is."""
    said = (BEGIN, *words(10 * " word"), BEGIN + 1500)
    engine = ScriptedEngine(*[Hypothesis(said, -1.0)] * 6)
    heard(engine, 180.0, DecodingOptions(language="en"), context=24)
    policy = WhisperPolicy(vocabulary(), 24)
    for request in engine.requests:
        policy.check(request.options)
    assert len(engine.requests[-1].options.prompt or ()) == 24


def test_a_prompt_that_is_too_long_is_refused_at_once() -> None:
    engine = ScriptedEngine()
    with pytest.raises(InvalidOptionError, match="shorten it"):
        heard(engine, 3.0, DecodingOptions(prompt=30 * "word "), context=24)
    assert not engine.requests


def test_silence_is_passed_over() -> None:
    engine = ScriptedEngine(Hypothesis((), -1.0), Hypothesis((BEGIN, *words(" end")), -1.0))
    segments, _ = heard(engine, 31.0, DecodingOptions(language="en"))
    assert [(each.start, each.end, each.text) for each in segments] == [(30.0, 31.0, "end")]


def test_windows_are_as_long_as_the_model_hears() -> None:
    config = ModelConfig(window_seconds=10.0)
    silence = Hypothesis((), -1.0)
    engine = ScriptedEngine(silence, silence, silence)
    heard(engine, 25.0, DecodingOptions(language="en"), config)
    begins = [(each.samples[0], len(each.samples)) for each in engine.requests]
    assert begins == [(0.0, 160_000), (160_000.0, 160_000), (320_000.0, 80_000)]


def test_failures_are_the_callers() -> None:
    with pytest.raises(InferenceError):
        heard(ScriptedEngine(InferenceError("broken")), 1.0, DecodingOptions())


def test_no_audio_is_no_window() -> None:
    assert heard(ScriptedEngine(), 0.0, DecodingOptions()) == ([], [])


def test_other_models_say_no_times() -> None:
    with (
        Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", dtype="float32") as recognizer,
        pytest.raises(InvalidOptionError, match="windows move by the times"),
    ):
        recognizer.transcribe_in_windows(np.ones(1_600, np.float32))
