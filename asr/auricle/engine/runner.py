"""The one file that touches the device: waveforms in, hypotheses out."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SAMPLE_RATE
from auricle.decoding import ContinuousDecoder, Decoding, new_search
from auricle.engine.request import Cost, Job, Request, Room
from auricle.errors import (
    AudioTooLongError,
    AuricleError,
    EmptyAudioError,
    InferenceError,
    InvalidOptionError,
)
from auricle.features import LogMel
from auricle.hypothesis import Hypothesis
from auricle.model import SpeechTransformer
from auricle.model.strip import MIN_ROWS, Strip

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


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


class ModelRunner:
    """Runs a `SpeechTransformer` on one device."""

    pads = False

    def __init__(
        self,
        model: SpeechTransformer,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        slots: int = MIN_ROWS,
    ) -> None:
        self.device = device
        self.dtype = dtype
        self.model = model.to(device=device, dtype=dtype).eval()
        self.features = LogMel(model.config.features).to(device)
        self._max_samples = round(model.config.window_seconds * SAMPLE_RATE)
        self._slots = slots
        self._decoder = ContinuousDecoder(
            self.model.decoder, slots=slots, max_frames=self._encoder_len(self._max_samples)
        )
        self._decodings: dict[Decoding, Job] = {}

    @property
    def room(self) -> Room:
        """What could join now."""
        slots = self._decoder.free_slots
        return Room(slots, slots * self._cache_bytes(self._encoder_len(self._max_samples)))

    def check(self, request: Request) -> Cost:
        """What a request takes; refuses what could never run.

        Raises:
            EmptyAudioError: there are no samples.
            AudioTooLongError: there are more than the window holds.
            InvalidOptionError: the beam is wider than the slots.
        """
        if not len(request.samples):
            raise EmptyAudioError("a piece of no samples")
        if len(request.samples) > self._max_samples:
            limit = self.model.config.window_seconds
            raise AudioTooLongError(
                f"a piece of {request.seconds:.1f} s does not fit the model's {limit:g} s: cut it"
            )
        if request.slots > self._slots:
            raise InvalidOptionError(
                f"beam_size {request.slots} needs more than the engine's {self._slots} slots"
            )
        frames = self._encoder_len(len(request.samples))
        return Cost(frames, request.slots, self._cache_bytes(frames))

    @torch.inference_mode()
    def join(self, jobs: Sequence[Job]) -> float:
        """Features, encoder, and a place in the decoder for each job.

        Raises:
            InferenceError: the encoder's output is not finite.
        """
        xs = self._features([job.request for job in jobs])
        encoder_outs = self.model.encoder.encode(xs)
        if not all(torch.isfinite(encoder_out).all() for encoder_out in encoder_outs):
            raise InferenceError("the encoder's output is not finite: check the audio's level")
        self._enter(jobs, encoder_outs)
        return Strip.of([len(x) for x in xs], self.model.config.transformer).padding_ratio

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """One token for all that have joined; returns, and forgets, those that are done."""
        done: list[tuple[Job, Hypothesis | AuricleError]] = []
        for decoding in self._decoder.step():
            self._decoder.leave(decoding)
            done.append((self._decodings.pop(decoding), decoding.error or decoding.search.best()))
        return done

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        decoding = next(d for d, owner in self._decodings.items() if owner is job)
        self._decoder.leave(decoding)
        del self._decodings[decoding]

    def _enter(self, jobs: Sequence[Job], encoder_outs: Sequence[Tensor]) -> None:
        entered: list[Job] = []
        try:
            for job, encoder_out in zip(jobs, encoder_outs, strict=True):
                search = new_search(job.request.options, len(encoder_out))
                self._decodings[self._decoder.join(encoder_out, search)] = job
                entered.append(job)
        except Exception:
            for job in entered:
                self.leave(job)
            raise

    def _features(self, requests: Sequence[Request]) -> list[Tensor]:
        """`x (T_i, n_mels)` of each request."""
        # Copies: callers' arrays may be read-only, reversed, or changed while this runs.
        waveforms = [torch.tensor(np.ascontiguousarray(r.samples)) for r in requests]
        lens = torch.tensor([len(waveform) for waveform in waveforms], device=self.device)
        few = torch.zeros(MIN_ROWS * self.features.config.hop_length)  # rows of the mel product
        samples = pad_sequence([*waveforms, few], batch_first=True)[:-1].to(self.device)
        x, x_lens = self.features(samples, lens)
        return [row[:length].to(self.dtype) for row, length in zip(x, x_lens.tolist(), strict=True)]

    def _encoder_len(self, samples: int) -> int:
        config = self.model.config
        return config.transformer.encoder_len(config.features.x_len(samples))

    def _cache_bytes(self, frames: int) -> int:
        """Of the keys and values of cross-attention over so many encoder frames."""
        config = self.model.config.transformer
        return 2 * config.decoder_layers * frames * config.d_model * 4
