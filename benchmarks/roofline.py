"""How much of the machine the encoder uses: its useful operations against the best product."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from auricle.config import SAMPLE_RATE, FeatureConfig, TransformerConfig
from auricle.engine.devices import loaded, prepare
from auricle.features import LogMel
from auricle.model import SpeechTransformer
from benchmarks.ours import THROUGHPUT
from benchmarks.rounds import timed

FORMULA = (
    "2 * (3 T M D + 3 N D^2 (s - 1) + L (N (4 D^2 + 2 D F) + 2 N^2 D)) an utterance: stem and "
    "layers' matrix products over its own T feature and N encoder frames; no padding, no norm, "
    "no softmax"
)


def encoder_flops(x_len: int, n_mels: int, dims: TransformerConfig) -> int:
    """Multiplications and additions of one utterance's useful matrix products (see FORMULA)."""
    width, operations, inputs = dims.d_model, 0, n_mels
    for conv in dims.stem:
        x_len = conv.out_len(x_len)
        operations += conv.kernel * x_len * inputs * width
        inputs = width
    layer = x_len * (4 * width**2 + 2 * width * dims.ffn_dim) + 2 * x_len**2 * width
    return 2 * (operations + dims.encoder_layers * layer)


def product_flops(dtype: torch.dtype, size: int, repeats: int = 12) -> float:
    """Operations a second of the best of several square matrix products."""
    a, b = torch.randn(2, size, size).to(dtype)
    return 2 * size**3 / min(timed(lambda: a @ b) for _ in range(repeats))


@dataclass(frozen=True, slots=True)
class Roofline:
    """The encoder by itself, in strips of as much audio as the engine encodes at a time."""

    model: SpeechTransformer  # in the dtype that it computes with
    strips: Sequence[Sequence[Tensor]]  # features (T_i, n_mels)
    size: int = 2048  # of the product it is held against

    @classmethod
    def over(
        cls,
        model: SpeechTransformer,
        waveforms: Sequence[npt.NDArray[np.float32]],
        dtype: torch.dtype,
        *,
        size: int,
    ) -> "Roofline":
        """The features of `waveforms`, and `model` as the engine runs it in `dtype`."""
        strips = list(_strips(waveforms, THROUGHPUT.max_encode_seconds))
        xs = [
            [x.to(loaded(dtype)) for x in _features(strip, model.config.features)]
            for strip in strips
        ]
        return cls(prepare(model, torch.device("cpu"), dtype), xs, size)

    @torch.inference_mode()
    def measure(self, rounds: int) -> dict[str, Any]:
        """Encoder and products in turn; the median encoder against the best product.

        In bfloat16, and in float32, too: on some processors that is the faster one.
        """
        encoder, half, whole = [], [], []
        for _ in range(rounds):
            half.append(product_flops(torch.bfloat16, self.size))
            whole.append(product_flops(torch.float32, self.size))
            encoder.append(self._flops() / timed(self._encode))
        median = sorted(encoder)[len(encoder) // 2]
        return {
            "encoder_roofline_fraction": round(median / max(half), 3),
            "encoder_over_float32_product": round(median / max(whole), 3),
            "encoder_gflops": round(median / 1e9, 1),
            "bf16_product_gflops": round(max(half) / 1e9, 1),
            "float32_product_gflops": round(max(whole) / 1e9, 1),
            "product_size": self.size,
            "encoder_operations": FORMULA,
        }

    def _encode(self) -> None:
        for strip in self.strips:
            self.model.encoder.encode(strip)

    def _flops(self) -> int:
        config = self.model.config
        n_mels, dims = config.features.n_mels, config.transformer
        return sum(encoder_flops(len(x), n_mels, dims) for strip in self.strips for x in strip)


def _strips(
    waveforms: Sequence[npt.NDArray[np.float32]], budget: float
) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Neighbours together, as long as they keep to `budget` seconds."""
    strip: list[npt.NDArray[np.float32]] = []
    for each in waveforms:
        if strip and sum(map(len, [*strip, each])) > budget * SAMPLE_RATE:
            yield strip
            strip = []
        strip.append(each)
    yield strip


def _features(waveforms: Sequence[npt.NDArray[np.float32]], config: FeatureConfig) -> list[Tensor]:
    log_mel = LogMel(config)
    rows = [log_mel(torch.from_numpy(w)[None], torch.tensor([len(w)])) for w in waveforms]
    return [x[0] for x, _ in rows]
