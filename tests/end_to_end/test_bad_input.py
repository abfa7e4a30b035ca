"""Bad input hurts only itself: a typed error for it, words for the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from auricle import Recognizer
from auricle_client import (
    AudioTooLongError,
    AuricleError,
    Client,
    EmptyAudioError,
    InvalidSamplesError,
    PcmFormat,
    RecognitionOptions,
    UnknownModelError,
    UnsupportedAudioError,
)


def wav(samples: np.ndarray, rate: int = 16_000, subtype: str = "PCM_16") -> bytes:
    file = BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def test_a_poisoned_crowd_leaves_the_others_their_words(
    address: str, recognizer: Recognizer, samples: list[Path]
) -> None:
    good = samples[0].read_bytes()
    expected = recognizer.transcribe(good).text
    poison: list[tuple[bytes, type[AuricleError]]] = [
        (b"", EmptyAudioError),
        (b"not audio at all, but long enough to look at", UnsupportedAudioError),
        (wav(np.zeros(0)), EmptyAudioError),
        (wav(np.full(8_000, np.nan, np.float32), subtype="FLOAT"), InvalidSamplesError),
        (wav(np.full(8_000, np.inf, np.float32), subtype="FLOAT"), InvalidSamplesError),
        (wav(np.zeros(1_201 * 8_000), rate=8_000), AudioTooLongError),
    ]

    def ask(audio: bytes) -> str | Exception:
        with Client(address) as client:
            try:
                return client.upload(audio).text
            except AuricleError as error:
                return error

    crowd = [audio for bad, _ in poison for audio in (good, bad)]
    with ThreadPoolExecutor(len(crowd)) as pool:
        answers = list(pool.map(ask, crowd))
    assert answers[0::2] == [expected] * len(poison)
    assert [type(answer) for answer in answers[1::2]] == [error for _, error in poison]


def test_an_unknown_model(client: Client, samples: list[Path]) -> None:
    with pytest.raises(UnknownModelError):
        client.recognize(samples[0], RecognitionOptions(model="nobody"))


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3"])
def test_the_good_part_of_a_truncated_file_is_transcribed(
    client: Client, samples: list[Path], extension: str
) -> None:
    speech, rate = soundfile.read(samples[0])
    file = BytesIO()
    soundfile.write(file, speech, rate, format=extension.upper())
    whole = file.getvalue()
    transcript = client.recognize(whole[: int(len(whole) * 0.7)])
    assert transcript.text
    assert 0.5 * len(speech) / rate < transcript.duration < 0.9 * len(speech) / rate
    assert any("truncated" in warning for warning in transcript.warnings)


def test_one_sample_is_no_reason_to_fall_over(client: Client) -> None:
    assert client.recognize(wav(np.array([0.5]))).duration < 0.001


@pytest.mark.parametrize("call", [Client.recognize, Client.upload])
def test_ten_minutes_of_silence_have_no_words(
    client: Client, call: Callable[[Client, bytes], object]
) -> None:
    silence = wav(np.zeros(600 * 16_000, np.int16))
    transcript = call(client, silence)
    assert transcript.text == ""  # type: ignore[attr-defined]
    assert transcript.duration == pytest.approx(600)  # type: ignore[attr-defined]


def test_192_khz_in_eight_channels(
    client: Client, recognizer: Recognizer, samples: list[Path]
) -> None:
    speech, rate = soundfile.read(samples[0])
    wide = np.repeat(np.repeat(speech, 192_000 // rate)[:, None], 8, axis=1)
    transcript = client.upload(wav(wide, rate=192_000))
    assert transcript.text
    assert transcript.duration == pytest.approx(len(speech) / rate, abs=0.01)


def test_headerless_samples_with_a_stated_rate(
    client: Client, recognizer: Recognizer, samples: list[Path]
) -> None:
    speech, rate = soundfile.read(samples[0], dtype="int16")
    options = RecognitionOptions(pcm=PcmFormat(sample_rate=rate))
    found = client.upload(speech.tobytes(), options).text
    assert found == recognizer.transcribe(samples[0]).text
