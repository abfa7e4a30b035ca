"""Samples that are floats by type and absurd by value: bad input, by whatever way they come."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch

from auricle.audio import Audio, PcmFormat, iter_audio
from auricle.audio.inputs import AudioInput
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import AudioError, InvalidSamplesError
from auricle_types.options import Encoding
from tests.asr.tiny import tiny_checkpoint

Doubles = npt.NDArray[np.float64]
VALUES = (1e30, -3e38, 1e300, 500.0, np.inf, np.nan)


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Recognizer]:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        yield recognizer


def single(samples: Doubles) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return samples.astype(np.float32)


def encoded(samples: npt.NDArray[Any], rate: int, container: str, subtype: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=container, subtype=subtype)
    return buffer.getvalue()


def pcm(samples: Doubles, encoding: Encoding) -> Any:  # noqa: ANN401
    data = samples.tobytes() if encoding == "f64le" else single(samples).tobytes()
    return iter_audio(io.BytesIO(data), pcm=PcmFormat(48_000, 1, encoding))


AS_AUDIO: dict[str, Callable[[Doubles], object]] = {
    "array": single,
    "array with its rate": lambda samples: (samples, 48_000),
    "stereo": lambda samples: (np.stack([samples, -samples]), 16_000),
    "tensor": lambda samples: torch.tensor(single(samples)),
    "tensor with its rate": lambda samples: (torch.tensor(samples), 16_000),
    "Audio": lambda samples: Audio(single(samples)),
    "WAV": lambda samples: encoded(single(samples), 16_000, "WAV", "FLOAT"),
    "WAV of doubles": lambda samples: encoded(samples, 48_000, "WAV", "DOUBLE"),
    "AIFF": lambda samples: encoded(single(samples), 16_000, "AIFF", "FLOAT"),
    "stereo WAV": lambda samples: encoded(
        np.stack([samples, samples], 1), 44_100, "WAV", "DOUBLE"
    ),
    "PCM": partial(pcm, encoding="f32le"),
    "PCM of doubles": partial(pcm, encoding="f64le"),
}  # fmt: skip


@pytest.fixture(params=VALUES, ids=str)
def absurd(request: pytest.FixtureRequest) -> Doubles:
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000)
    samples[5_000] = request.param
    return samples


@pytest.mark.parametrize("way", AS_AUDIO)
def test_absurd_samples_are_bad_input(recognizer: Recognizer, absurd: Doubles, way: str) -> None:
    audio = cast("AudioInput", AS_AUDIO[way](absurd))
    with pytest.raises(InvalidSamplesError, match=r"export it again|divided by 32768"):
        recognizer.transcribe(audio)


def test_absurd_samples_in_a_stream_or_a_piece_are_bad_input(
    recognizer: Recognizer, absurd: Doubles
) -> None:
    samples = single(absurd)
    with pytest.raises(InvalidSamplesError):
        list(recognizer.stream([samples[:4_000], samples[4_000:]]))
    with pytest.raises(InvalidSamplesError):
        recognizer.submit(Piece(0.0, samples))


def test_tensors_that_numpy_lacks_are_refused_with_what_to_give(recognizer: Recognizer) -> None:
    with pytest.raises(AudioError, match="samples must be floats, int16 or int32"):
        recognizer.transcribe((torch.zeros(16_000, dtype=torch.bfloat16), 16_000))
