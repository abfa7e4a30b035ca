"""The one file that touches the device: waveforms in, hypotheses out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SAMPLE_RATE
from auricle.decoding import ContinuousDecoder, Decoding, new_search
from auricle.engine.devices import prepare
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
from auricle.model import Decoder, SpeechTransformer, new_cache
from auricle.model.graphs import CudaRecorder, GraphedStep
from auricle.model.strip import MIN_ROWS, Strip

MIB = 1024 * 1024


class ModelRunner:
    """Runs a `SpeechTransformer` on one device."""

    def __init__(
        self,
        model: SpeechTransformer,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        slots: int = MIN_ROWS,
        max_cache_mib: int = 2048,
        exact: bool = False,
    ) -> None:
        """Run `model`, or a copy of it where it must change for that (`prepare`).

        Args:
            model: what to run; several runners may share a prepared one.
            device: where.
            dtype: of weights and activations.
            slots: hypotheses decoded at once.
            max_cache_mib: what the utterances in the decoder may remember, in MiB.
            exact: let no shape on the device depend on who shares a batch.
        """
        self.device = device
        self.dtype = dtype
        self.exact = exact
        self.model = prepare(model, device, dtype)
        self.features = LogMel(model.config.features).to(device)
        self._max_samples = round(model.config.window_seconds * SAMPLE_RATE)
        self._slots = slots
        self._cache_bytes = max_cache_mib * MIB
        max_frames = self._encoder_len(self._max_samples)
        self._cache = new_cache(self.model.decoder, slots=slots, max_frames=max_frames, exact=exact)
        self._decoder = ContinuousDecoder(
            self.model.decoder, self._cache, step=_step(self.model.decoder, device)
        )
        self._decodings: dict[Decoding, Job] = {}

    @property
    def room(self) -> Room:
        """What could join now."""
        held = sum(job.cost.cache_bytes for job in self._decodings.values())
        return Room(self._decoder.free_slots, self._cache_bytes - held)

    @property
    def pads(self) -> bool:
        """Whether utterances of like length belong together: attention pads, but for the CPU's."""
        return self.device.type != "cpu"

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
        return self._cost(request)

    @torch.inference_mode()
    def join(self, jobs: Sequence[Job]) -> float:
        """Features, encoder, and a place in the decoder for each job.

        Raises:
            InferenceError: the encoder's output is not finite.
        """
        requests = [job.request for job in jobs]
        batches = [[request] for request in requests] if self.exact else [requests]
        xs = [self._features(batch) for batch in batches]
        self._enter(jobs, [memory for batch in xs for memory in self._encode(batch)])
        return self._padding_ratio(xs)

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """One token for all that have joined; returns, and forgets, those that are done."""
        done: list[tuple[Job, Hypothesis | AuricleError]] = []
        for decoding in self._decoder.step():
            job = self._decodings.pop(decoding)
            self._decoder.leave(decoding)
            done.append((job, decoding.error or decoding.search.best()))
        return done

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        decoding = next(d for d, owner in self._decodings.items() if owner is job)
        del self._decodings[decoding]
        self._decoder.leave(decoding)

    def _encode(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """Features `(T_i, n_mels)` -> what the decoder remembers of each."""
        encoder_outs = self.model.encoder.encode(xs)
        if not all(torch.isfinite(encoder_out).all() for encoder_out in encoder_outs):
            raise InferenceError("the encoder's output is not finite: check the audio's level")
        return self.model.decoder.memorise(encoder_outs)

    def _enter(self, jobs: Sequence[Job], memories: Sequence[Tensor]) -> None:
        entered: list[Job] = []
        try:
            for job, memory in zip(jobs, memories, strict=True):
                search = new_search(job.request.options, memory.shape[3])
                self._decodings[self._decoder.join(memory, search)] = job
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
        samples = pad_sequence([*waveforms, few], batch_first=True)[:-1]
        if self.device.type == "cuda":
            samples = samples.pin_memory()
        x, x_lens = self.features(samples.to(self.device, non_blocking=True), lens)
        return [row[:length].to(self.dtype) for row, length in zip(x, x_lens.tolist(), strict=True)]

    def _padding_ratio(self, batches: Sequence[Sequence[Tensor]]) -> float:
        """Share of the encoded frames that is no speech."""
        dims = self.model.config.transformer
        strips = [Strip.of([len(x) for x in xs], dims) for xs in batches]
        padding = sum(strip.padding_ratio * strip.size for strip in strips)
        return padding / sum(strip.size for strip in strips)

    def _encoder_len(self, samples: int) -> int:
        config = self.model.config
        return config.transformer.encoder_len(config.features.x_len(samples))

    def _cost(self, request: Request) -> Cost:
        frames = self._encoder_len(len(request.samples))
        return Cost(frames, request.slots, self._cache.bytes_of(frames))


def _step(decoder: Decoder, device: torch.device) -> Callable[..., Tensor]:
    """The decoder's step, recorded where that pays."""
    if device.type == "cuda":
        return GraphedStep(decoder.step, CudaRecorder(device))
    return decoder.step
