"""Speech that cannot be trained on is named, and left out or fatal."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auricle.config import SAMPLE_RATE, ModelConfig
from auricle.training.config import DataConfig, OnBad
from auricle.training.corpus import Corpus, TrainingUtterance
from auricle.training.problems import Problem, settle, summary
from auricle.training.selection import Speech, alignable, frames_needed, is_latin, usable
from auricle_types.errors import ManifestError
from tests.asr.tiny import SENTENCES, tiny_config, tiny_tokenizer

MODEL = tiny_config()  # a window of 5 s


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    np.zeros(10, np.int16).tofile(tmp_path / "samples.i16")
    return Corpus(tmp_path / "samples.i16", [])


def speech(corpus: Corpus, *rows: tuple[str, float]) -> Speech:
    """Utterances of so many seconds, named a, b, c and so on."""
    names = "abcdefghij"
    return [
        (corpus, TrainingUtterance(0, round(seconds * SAMPLE_RATE), text, name))
        for name, (text, seconds) in zip(names, rows, strict=False)
    ]


def data(on_bad: OnBad, max_seconds: float = 18.0) -> DataConfig:
    return DataConfig((), (), Path(), max_seconds=max_seconds, on_bad=on_bad)


def kept(speech: Speech) -> str:
    return "".join(utterance.name for _, utterance in speech)


def test_bad_speech_is_left_out_and_named_once(
    corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    rows = speech(
        corpus,
        ("words", 1.0),
        ("", 1.0),
        (" \n", 1.0),
        ("слова", 1.0),
        ("long", 5.1),
        ("naïve café", 5.0),
    )
    assert kept(usable(rows, data("skip"), MODEL)) == "af"
    assert caplog.messages == [
        "training speech: left out: text empty: 2 (b, c); text not Latin: 1 (d); "
        "longer than the window: 1 (e)"
    ]


def test_bad_speech_stops_the_run_unless_told_otherwise(corpus: Corpus) -> None:
    rows = speech(corpus, ("words", 1.0), ("", 1.0), ("слова", 1.0))
    assert DataConfig((), (), Path()).on_bad == "stop"
    with pytest.raises(ManifestError, match=r"text empty: 1 \(b\); text not Latin: 1 \(c\)") as e:
        usable(rows, data("stop"), MODEL)
    assert 'on_bad = "skip"' in str(e.value)


def test_other_languages_have_other_letters(corpus: Corpus) -> None:
    rows = speech(corpus, ("слова", 1.0))
    assert kept(usable(rows, data("stop"), replace(MODEL, language="ru"))) == "a"


def test_longer_than_the_recipe_wants_is_no_fault(
    corpus: Corpus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = speech(corpus, ("words", 1.0), ("more", 2.5), ("many more", 9.0))
    assert kept(usable(rows, data("stop", max_seconds=2.0), MODEL)) == "a"
    assert caplog.messages == ["2 utterances are longer than max_seconds and left out"]


def test_good_speech_is_as_it_was(corpus: Corpus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rows = speech(corpus, *((sentence, 4.0) for sentence in SENTENCES))
    assert usable(rows, data("stop"), MODEL) == rows
    assert alignable(rows, tiny_tokenizer(), MODEL) == rows
    assert caplog.messages == []


@pytest.mark.parametrize("on_bad", ["skip", "stop"])
def test_nothing_left_is_always_fatal(corpus: Corpus, on_bad: OnBad) -> None:
    with pytest.raises(ManifestError):
        usable(speech(corpus, ("", 1.0)), data(on_bad), MODEL)


def test_ctc_needs_a_frame_between_equals() -> None:
    assert [frames_needed(tokens) for tokens in ([], [5], [5, 6], [5, 5], [5, 5, 5, 6])] == [
        0,
        1,
        2,
        3,
        6,
    ]


def test_speech_too_short_for_its_text(corpus: Corpus) -> None:
    """One encoder frame is 40 ms: at the least length a text is kept, one frame less is too few."""
    tokenizer = tiny_tokenizer()
    least = frames_needed(tokenizer.encode(SENTENCES[0])) * 0.04
    rows = speech(corpus, (SENTENCES[0], least), (SENTENCES[0], least - 0.04))
    assert kept(alignable(rows, tokenizer, MODEL, "skip")) == "a"
    with pytest.raises(ManifestError, match=r"too short for its text: 1 \(b\)"):
        alignable(rows, tokenizer, MODEL, "stop")


def test_an_old_cache_s_utterances_are_named_by_their_text(corpus: Corpus) -> None:
    rows: Speech = [
        (corpus, TrainingUtterance(0, SAMPLE_RATE * 6, "a long one")),
        *speech(corpus, ("b", 1)),
    ]
    with pytest.raises(ManifestError, match=r"window: 1 \('a long one'\)"):
        usable(rows, data("stop"), MODEL)


@pytest.mark.parametrize(
    ("text", "latin"),
    [("plain", True), ("señor Łódź 42!", True), ("мир", False), ("hello 世界", False), ("", True)],
)
def test_latin(text: str, latin: bool) -> None:
    assert is_latin(text) == latin


def test_only_the_first_of_many_are_named() -> None:
    problems = [Problem("lost", f"{number}.wav") for number in range(5)]
    assert summary([*problems, Problem("empty", "x")]) == (
        "lost: 5 (0.wav, 1.wav, 2.wav, ...); empty: 1 (x)"
    )


def test_nothing_wrong_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    settle([], "here", "stop")
    settle([], "here", "skip")
    assert caplog.messages == []


def test_the_model_s_default_language_is_checked() -> None:
    assert ModelConfig().language == "en"
