"""The one file that touches the device: waveforms in, hypotheses out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.config import DecodingOptions
from auricle.decoding import Hypothesis, beam_search, greedy_search
from auricle.engine.request import Request
from auricle.errors import InferenceError, InvalidOptionError
from auricle.features import LogMel
from auricle.model import SpeechTransformer

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass(frozen=True, slots=True)
class BatchOutput:
    """Hypotheses of a batch, in order, and what it took."""

    hypotheses: list[Hypothesis]
    encode_seconds: float
    decode_seconds: float
    padding_ratio: float  # padded share of the encoder frames


def resolve_device(name: str) -> torch.device:
    """`cpu`, `cuda`, `cuda:N`, or `auto`: CUDA where there is one. Raises InvalidOptionError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidOptionError(f"device must be cpu, cuda or auto, not {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise InvalidOptionError(f"device must be cpu, cuda or auto, not {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InvalidOptionError(f"no device {name!r} here: use --device cpu or auto")
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """A name in `DTYPES`, or `auto`: float32 on the CPU, bfloat16 elsewhere."""
    if name == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    if name not in DTYPES:
        raise InvalidOptionError(f"dtype must be auto, {', '.join(DTYPES)}, not {name!r}")
    return DTYPES[name]


class Runner(Protocol):
    """What the engine asks of whoever owns the model; tests put a fake here."""

    def run(self, requests: Sequence[Request]) -> BatchOutput:
        """Recognise a batch. May raise anything; the engine finds the request to blame."""
        ...


class ModelRunner:
    """Runs a `SpeechTransformer` on one device."""

    def __init__(
        self, model: SpeechTransformer, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.device = device
        self.dtype = dtype
        self.model = model.to(device=device, dtype=dtype).eval()
        self.features = LogMel(model.config.features).to(device)

    @torch.inference_mode()
    def run(self, requests: Sequence[Request]) -> BatchOutput:
        """Features, encoder, decoder.

        Raises:
            InferenceError: the encoder's output is not finite.
        """
        started = time.perf_counter()
        encoder_out, lens = self._encode(requests)
        encoded = time.perf_counter()
        hypotheses = self._decode(encoder_out, lens, [request.options for request in requests])
        decoded = time.perf_counter()
        valid, computed = int(lens.sum()), encoder_out.shape[0] * encoder_out.shape[1]
        return BatchOutput(hypotheses, encoded - started, decoded - encoded, 1 - valid / computed)

    def _encode(self, requests: Sequence[Request]) -> tuple[Tensor, Tensor]:
        """`encoder_out (B, N, D)` and `encoder_out_lens (B,)`."""
        # Copies: callers' arrays may be read-only, reversed, or changed while this runs.
        waveforms = [torch.tensor(np.ascontiguousarray(r.samples)) for r in requests]
        lens = torch.tensor([len(waveform) for waveform in waveforms], device=self.device)
        samples = pad_sequence(waveforms, batch_first=True).to(self.device)  # (B, S)
        x, x_lens = self.features(samples, lens)
        encoder_out, encoder_out_lens = self.model.encoder(x.to(self.dtype), x_lens)
        if not torch.isfinite(encoder_out).all():  # also waits for the device
            raise InferenceError("the encoder's output is not finite: check the audio's level")
        return encoder_out, encoder_out_lens

    def _decode(
        self, encoder_out: Tensor, lens: Tensor, options: list[DecodingOptions]
    ) -> list[Hypothesis]:
        """Rows with the same kind of search are decoded together."""
        hypotheses: dict[int, Hypothesis] = {}
        for kind in dict.fromkeys((o.beam_size, o.length_penalty) for o in options):
            rows = [i for i, o in enumerate(options) if (o.beam_size, o.length_penalty) == kind]
            limits = torch.tensor(
                [_limit(int(lens[row]), options[row]) for row in rows], device=self.device
            )
            found = self._search(encoder_out[rows], lens[rows], limits, *kind)
            hypotheses.update(zip(rows, found, strict=True))
        return [hypotheses[row] for row in range(len(options))]

    def _search(
        self,
        encoder_out: Tensor,
        lens: Tensor,
        limits: Tensor,
        beam_size: int,
        length_penalty: float,
    ) -> list[Hypothesis]:
        decoder = self.model.decoder
        if beam_size == 1:
            return greedy_search(decoder, encoder_out, lens, limits)
        return beam_search(
            decoder,
            encoder_out,
            lens,
            limits,
            beam_size=beam_size,
            length_penalty=length_penalty,
        )


def _limit(encoder_frames: int, options: DecodingOptions) -> int:
    """Most tokens of a piece: nobody says more pieces than the encoder has frames (CTC's bound)."""
    return min(encoder_frames, options.max_tokens or encoder_frames)
