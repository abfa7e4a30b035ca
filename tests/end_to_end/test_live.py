"""Live speech with the bundled model: what is stable stays, in process and through the wire."""

import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auricle.audio import load_audio
from auricle.engine.statistics import Statistics
from auricle.recognizer import Recognizer
from auricle_client import Client, PcmFormat, RecognitionOptions
from auricle_types.commands import END_UTTERANCE
from auricle_types.errors import InvalidOptionError
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStarted,
    SpeechStopped,
)
from auricle_types.options import DecodingOptions, StreamingOptions
from auricle_types.transcript import joined

SAMPLES = Path(__file__).parents[2] / "samples"
REAL = sorted(SAMPLES.glob("librispeech-*.opus"))
LIVE = StreamingOptions(interim_results=True, interim_interval=0.4, voice_activity=True)
TOO_LONG = StreamingOptions(max_utterance=600.0)
PCM = RecognitionOptions(pcm=PcmFormat(16_000))


def is_busy(statistics: Statistics) -> bool:
    ended = statistics.finished + statistics.cancelled + statistics.failed + statistics.expired
    return statistics.submitted > ended


def spoken(recognizer: Recognizer, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Chunks at the pace of the engine: each comes when it has done what the last one made."""
    for chunk in chunks:
        yield chunk
        deadline = time.monotonic() + 60
        while is_busy(recognizer.statistics()) and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(0.002)  # an answer is counted just before it is given


def randomly(samples: np.ndarray, seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    cuts = np.cumsum(random.integers(1, 9_000, len(samples) // 3_000))
    return np.split(samples, cuts[cuts < len(samples)])


def utterances(happened: Iterable[Event]) -> list[list[Event]]:
    found: list[list[Event]] = [[]]
    for event in happened:
        found[-1].append(event)
        if isinstance(event, EndOfUtterance):
            found.append([])
    return found


def stable_words_stay(utterance: list[Event]) -> int:
    """Check one utterance; returns how many letters were stable before its end."""
    stable: dict[float, str] = {}
    for event in utterance:
        if isinstance(event, Interim):
            assert event.text.startswith(event.stable_text)
            assert event.stable_text.startswith(stable.get(event.start, ""))
            assert 0 < event.stability <= 1
            stable[event.start] = event.stable_text
    final = joined([event.segment for event in utterance if isinstance(event, FinalSegment)])
    assert final.startswith(next(iter(stable.values()), ""))
    return sum(map(len, stable.values()))


@pytest.mark.parametrize("number", range(len(REAL)), ids=[path.stem for path in REAL])
def test_stable_words_never_change(recognizer: Recognizer, number: int) -> None:
    samples = np.concatenate([load_audio(REAL[number]).samples, np.zeros(16_000, np.float32)])
    chunks = spoken(recognizer, randomly(samples, number))
    happened = list(recognizer.stream(chunks, streaming=LIVE))
    assert sum(map(stable_words_stay, utterances(happened))) > 0
    whole = happened[-1]
    assert isinstance(whole, FinalTranscript)
    assert whole.transcript.text == joined(
        [event.segment for event in happened if isinstance(event, FinalSegment)]
    )


def test_beams_keep_what_was_stable(recognizer: Recognizer) -> None:
    chunks = spoken(recognizer, randomly(load_audio(REAL[0]).samples, 0))
    options = DecodingOptions(beam_size=3)
    happened = list(recognizer.stream(chunks, options=options, streaming=LIVE))
    assert sum(map(stable_words_stay, utterances(happened))) > 0


def said(count: int = 1) -> bytes:
    """Pcm of a sample, `count` times, with a second of silence behind each."""
    samples = np.concatenate([load_audio(REAL[0]).samples, np.zeros(16_000, np.float32)])
    return (np.tile(samples, count) * 32_767).astype("<i2").tobytes()


def test_events_come_through_the_wire(client: Client) -> None:
    with client.stream(said(2), PCM, LIVE, chunk_bytes=6_400) as stream:
        happened = list(stream.events())
    kinds = [type(event) for event in happened if not isinstance(event, Interim)]
    assert kinds.count(SpeechStarted) == kinds.count(SpeechStopped) == kinds.count(EndOfUtterance)
    assert kinds[-1] is FinalTranscript
    assert list(map(stable_words_stay, utterances(happened)))
    assert stream.transcript.text


def test_a_stream_has_only_segments_unless_more_is_asked_for(client: Client) -> None:
    with client.stream(said(), PCM) as stream:
        kinds = {type(event) for event in stream.events()}
    assert kinds == {FinalSegment, FinalTranscript}


def test_a_client_ends_an_utterance_and_has_its_words_before_it_sends_more(client: Client) -> None:
    audio = said()[: 16_000 * 2 * 3]  # in the middle of the speech

    def live() -> Iterator[bytes]:
        yield audio
        yield END_UTTERANCE  # type: ignore[misc]
        while not any(isinstance(event, EndOfUtterance) for event in happened):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield audio

    happened: list[Event] = []
    deadline = time.monotonic() + 60
    with client.stream(live(), PCM, StreamingOptions(voice_activity=True)) as stream:
        for event in stream.events():
            happened.append(event)  # noqa: PERF402  # `live` looks at it meanwhile
    assert sum(isinstance(event, EndOfUtterance) for event in happened) == 2


def test_a_single_utterance_ends_the_stream(client: Client) -> None:
    with client.stream(said(3), PCM, StreamingOptions(single_utterance=True)) as stream:
        assert list(stream)
        one = stream.transcript
    with client.stream(said(1), PCM) as stream:
        assert list(stream)
    assert one.text == stream.transcript.text
    assert one.duration < len(said(2)) / 32_000


def test_the_end_of_a_single_utterance_ends_the_stream(client: Client) -> None:
    """As with a key that is held while somebody talks: no more audio comes behind the end."""
    ended = threading.Event()

    def live() -> Iterator[bytes]:
        yield said()[: 16_000 * 2 * 2]
        yield END_UTTERANCE  # type: ignore[misc]
        assert ended.wait(30)

    with client.stream(live(), PCM, StreamingOptions(single_utterance=True)) as stream:
        for event in stream.events():
            if isinstance(event, FinalTranscript):
                ended.set()
    assert ended.is_set()
    assert stream.transcript.text


def test_nobody_speaks_and_a_single_utterance_ends(client: Client) -> None:
    options = StreamingOptions(single_utterance=True, start_silence=2.0)
    with client.stream(bytes(32_000 * 10), PCM, options) as stream:
        assert list(stream) == []
    assert 2.0 <= stream.transcript.duration < 10


# --- bad input ---------------------------------------------------------------------------------


def wait_until_idle(recognizer: Recognizer) -> None:
    deadline = time.monotonic() + 60
    while is_busy(recognizer.statistics()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert recognizer.statistics().running == 0


def test_an_hour_of_silence_has_no_events_and_takes_no_memory(recognizer: Recognizer) -> None:
    second = np.zeros(16_000, np.float32)
    tracemalloc.start()
    try:
        happened = list(recognizer.stream((second for _ in range(3600)), streaming=LIVE))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [type(event) for event in happened] == [FinalTranscript]
    assert peak < 8 << 20


@pytest.mark.parametrize("size", [7, 16_000 * 600])
def test_the_size_of_the_chunks_changes_no_final_word(recognizer: Recognizer, size: int) -> None:
    samples = load_audio(REAL[0]).samples
    chunks = [samples[start : start + size] for start in range(0, len(samples), size)]
    one, other = (
        [event.segment for event in recognizer.stream(each) if isinstance(event, FinalSegment)]
        for each in (chunks, [samples])
    )
    assert one == other


def test_a_client_that_leaves_takes_its_drafts_along(
    client: Client, recognizer: Recognizer
) -> None:
    with client.stream(said(4), PCM, LIVE, chunk_bytes=3_200) as stream:
        for event in stream.events():
            if isinstance(event, Interim | FinalSegment):
                break
    wait_until_idle(recognizer)


def test_a_client_that_does_not_read_is_not_sent_for(
    client: Client, recognizer: Recognizer
) -> None:
    """Nothing of its audio waits in the server: what comes is read when answers are."""
    with client.stream(said(4), PCM, LIVE, chunk_bytes=3_200) as stream:
        happening = stream.events()
        next(happening)
        wait_until_idle(recognizer)
        assert sum(isinstance(event, FinalSegment) for event in happening) >= 4


@pytest.mark.parametrize(
    ("option", "value"),
    [("interim_interval", 0.0), ("end_silence", -1.0), ("max_utterance", 1e9), ("end_silence", "")],
)
def test_options_out_of_range_are_refused(option: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidOptionError, match=option):
        StreamingOptions(**{option: value})


def test_an_utterance_longer_than_the_window_is_cut_to_it(recognizer: Recognizer) -> None:
    happened = recognizer.stream([np.zeros(16_000, np.float32)], streaming=TOO_LONG)
    assert isinstance(list(happened)[-1], FinalTranscript)
