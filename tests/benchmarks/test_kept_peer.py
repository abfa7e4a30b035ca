"""PocketSphinx' errors are measured once for each version and recording; it is a fake here."""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.corpora import Corpus
from benchmarks.peers import kept
from benchmarks.scores import score

AUDIO = [np.full(16_000, level, np.float32) for level in (0.1, 0.2)]


def corpus(name: str, *texts: str) -> Corpus:
    return Corpus(name, list(texts), AUDIO[: len(texts)], list(texts))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many utterances the fake was given at a time; it always hears the same."""
    calls: list[int] = []

    def transcripts(waveforms: Iterable[np.ndarray]) -> Iterator[str]:
        given = list(waveforms)
        calls.append(len(given))
        yield from ["a cat"] * len(given)

    fake = ModuleType("benchmarks.peers.sphinx")
    fake.transcripts = transcripts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.peers.sphinx", fake)
    monkeypatch.setattr(kept, "version", lambda _: "5.1")
    monkeypatch.setattr("time.perf_counter", iter(range(10_000)).__next__)
    return calls


def found(*corpora: Corpus, earlier: dict[str, Any] | None = None) -> dict[str, Any]:
    figures = kept.heard(corpora, earlier or {})
    assert figures is not None
    return figures


def test_scores_and_speed(heard: list[int]) -> None:
    figures = found(corpus("one", "a cat", "a dog"))
    assert heard == [2]
    assert figures["scores"]["one"] == score(["a cat", "a dog"], ["a cat"] * 2).to_dict()
    assert figures["audio_seconds_per_second"] == 2.0  # two seconds of audio in one


def test_what_is_kept_is_not_measured_again(heard: list[int]) -> None:
    first = found(corpus("one", "a cat", "a dog"))
    both = found(corpus("one", "a cat", "a dog"), corpus("two", "a hat"), earlier=first["kept"])
    assert heard == [2, 1]
    assert both["scores"]["one"] == first["scores"]["one"]
    assert both["kept"].keys() > first["kept"].keys()


def test_no_word_is_kept(heard: list[int]) -> None:
    assert "cat" not in str(found(corpus("one", "a cat"))["kept"])


def test_other_audio_other_words_another_version_are_measured(
    heard: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = found(corpus("one", "a cat", "a dog"))["kept"]
    found(corpus("one", "a cat", "a fox"), earlier=first)
    found(Corpus("one", ["", ""], AUDIO[::-1], ["a cat", "a dog"]), earlier=first)
    monkeypatch.setattr(kept, "version", lambda _: "5.2")
    found(corpus("one", "a cat", "a dog"), earlier=first)
    assert heard == [2, 2, 2, 2]


def test_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(kept, "version", absent)
    assert kept.heard([corpus("one", "a cat")], {}) is None
