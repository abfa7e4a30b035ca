"""The one file that touches the device: waveforms in, hypotheses out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SAMPLE_RATE
from auricle.decoding import (
    Casting,
    ContinuousDecoder,
    Decoding,
    Hearing,
    Posteriors,
    Utterance,
    compile_now,
)
from auricle.engine.devices import activations, prepare
from auricle.engine.request import Cost, Job, Request, Room
from auricle.features import new_features
from auricle.hypothesis import Hypothesis
from auricle.language_model import compile_now as compile_lookup
from auricle.model import Decoder, SpeechTransformer, new_cache
from auricle.model.graphs import CudaRecorder, GraphedStep
from auricle.model.rows import GROUP, LARGEST, check_rows
from auricle.model.strip import Strip
from auricle_types.errors import (
    AudioTooLongError,
    AuricleError,
    EmptyAudioError,
    InferenceError,
    InvalidOptionError,
)
from auricle_types.options import DecodingOptions

MIB = 1024 * 1024
_Heard = tuple[Tensor, Tensor | None]  # what the decoder remembers, what CTC hears


class ModelRunner:
    """Runs a `SpeechTransformer` on one device."""

    def __init__(
        self,
        model: SpeechTransformer,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        slots: int = GROUP,
        max_cache_mib: int = 2048,
        exact: bool = False,
        casting: Casting | None = None,
    ) -> None:
        """Run `model`, or a copy of it where it must change for that (`prepare`).

        Args:
            model: what to run; several runners may share a prepared one.
            device: where.
            dtype: of weights and activations; int8: of matrix products on a CPU, of the weights
                alone elsewhere.
            slots: hypotheses decoded at once.
            max_cache_mib: what the utterances in the decoder may remember, in MiB.
            exact: let no shape on the device depend on who shares a batch.
            casting: who has a say in each search, and how the model is spoken to; several runners
                may share one. None: plainly, without a language model.
        """
        self.device = device
        self.dtype = activations(dtype, device)
        self.exact = exact
        self._casting = casting or Casting.of(model.config)
        self.model = prepare(model, device, dtype)
        self.config = model.config
        self.features = new_features(model.config.features).to(device)
        if device.type == "cpu":
            check_rows(self.model, GROUP)
            check_rows(self.model.encoder, LARGEST)
        self._slots = slots
        self._cache_bytes = max_cache_mib * MIB
        max_frames = self.config.encoder_len(self.config.window)
        self._max_tokens = self._most_tokens(max_frames)
        self._cache = new_cache(
            self.model.decoder,
            slots=slots,
            max_frames=max_frames,
            max_tokens=self._max_tokens,
            exact=exact,
        )
        self._decoder = ContinuousDecoder(
            self.model.decoder,
            self._cache,
            step=_step(self.model.decoder, device),
            special=self.config.tokens,
        )
        self._decodings: dict[Decoding, Job] = {}
        if self.config.transformer.ctc:
            compile_now()
        if self._casting.language_model is not None:
            compile_lookup(self._casting.language_model)

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
            InvalidOptionError: the beam is wider than the slots, or the model cannot do what is
                asked for.
        """
        self._casting.check(request.options)
        if not len(request.samples):
            raise EmptyAudioError("a piece of no samples")
        if len(request.samples) > self.config.window:
            limit = self.config.window_seconds
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
        """Features, encoder, CTC, and a place in the decoder for each job.

        Raises:
            InferenceError: the encoder's output is not finite.
        """
        requests = [job.request for job in jobs]
        batches = [[request] for request in requests] if self.exact else [requests]
        xs = [self._features(batch) for batch in batches]
        heard = [self._hear(*each) for each in zip(batches, xs, strict=True)]
        self._enter(jobs, [each for batch in heard for each in batch])
        return self._padding_ratio(xs)

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """One token for all that have joined; returns, and forgets, those that are done."""
        done: list[tuple[Job, Hypothesis | AuricleError]] = []
        for decoding in self._decoder.step():
            job = self._decodings.pop(decoding)
            self._decoder.leave(decoding)
            if decoding.wants_full_context:
                self._join_again(job, decoding.answer)
            else:
                found = decoding.error or self._casting.answer(decoding, job.request.options)
                done.append((job, found))
        return done

    def _join_again(self, job: Job, found: Hypothesis) -> None:
        """With the silence that fills the window, after a search without it has found this."""
        job.guards = (*found.guards, "full_context")
        job.request = replace(job.request, full_context=True)
        job.cost = self._cost(job.request)
        self.join([job])

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        decoding = next(d for d, owner in self._decodings.items() if owner is job)
        del self._decodings[decoding]
        self._decoder.leave(decoding)

    def _hear(self, requests: Sequence[Request], xs: Sequence[Tensor]) -> list[_Heard]:
        """Features `(T_i, n_mels)` -> what the decoder remembers of each, and what CTC hears."""
        encoder_outs = self.model.encoder.encode(xs)
        if not all(torch.isfinite(encoder_out).all() for encoder_out in encoder_outs):
            raise InferenceError("the encoder's output is not finite: check the audio's level")
        memories = self.model.decoder.memorise(encoder_outs)
        if not any(self._hears_ctc(request.options) for request in requests):
            return [(memory, None) for memory in memories]
        return list(zip(memories, self._ctc(encoder_outs), strict=True))

    def _ctc(self, encoder_outs: Sequence[Tensor]) -> list[Tensor]:
        """CTC's log-probabilities `(N_i, V)` of each, in float32 on the host."""
        logits = self.model.ctc(torch.cat(list(encoder_outs)))
        log_probs = logits.log_softmax(dim=-1, dtype=torch.float32).cpu()
        return list(log_probs.split([len(encoder_out) for encoder_out in encoder_outs]))

    def _enter(self, jobs: Sequence[Job], heard: Sequence[_Heard]) -> None:
        entered: list[Job] = []
        try:
            for job, (memory, log_probs) in zip(jobs, heard, strict=True):
                decoding = self._join(job.request, memory, log_probs)
                self._decodings[decoding] = job
                entered.append(job)
                if job.request.options.word_timestamps:
                    decoding.hearing = self._hearing(job.request, memory, log_probs)
        except Exception:
            for job in entered:
                self.leave(job)
            raise

    def _join(self, request: Request, memory: Tensor, log_probs: Tensor | None) -> Decoding:
        options, frames = request.options, memory.shape[3]
        course = self._casting.course(options, self._utterance(request))
        if course is not None:
            return self._decoder.join_course(memory, course)
        wanted = log_probs if self._hears_ctc(options) else None
        finite = wanted is None or bool(torch.isfinite(wanted).all())
        heard = Posteriors.of(wanted.numpy()) if wanted is not None and finite else None
        roles = self._casting.roles(
            options, self._most(frames), request.seconds, heard, speech=request.speech
        )
        decoding = self._decoder.join(memory, roles.search, roles.ctc, roles.lm)
        if not finite:
            decoding.error = InferenceError("CTC's probabilities are not finite")
        return decoding

    def _utterance(self, request: Request) -> Utterance:
        short = self.config.heard(self._samples(request)) < self.config.window
        return Utterance(request.seconds, request.speech, request.speech_end, short)

    def _hearing(self, request: Request, memory: Tensor, log_probs: Tensor | None) -> Hearing:
        """A copy of CTC's part: it belongs to what all that were encoded together share."""
        config, samples = self.config, len(request.samples)
        stride = config.features.hop_length * config.transformer.subsampling
        return Hearing(
            self.model.decoder,
            memory,
            None if log_probs is None else log_probs.clone(),
            min(max(samples // stride, 1), memory.shape[3]),  # whole ones
        )

    def _most(self, frames: int) -> int:
        """Tokens that may be said; with a CTC head, no more than the encoder has frames."""
        room = self._max_tokens - len(self.config.tokens.start) + 1
        return min(frames, room) if self.config.transformer.ctc else room

    def _hears_ctc(self, options: DecodingOptions) -> bool:
        """Whether CTC is asked; a model without that head decodes by attention alone."""
        asked = options.ctc_share > 0 or options.guards or options.word_timestamps
        return self.config.transformer.ctc and asked

    def _features(self, requests: Sequence[Request]) -> list[Tensor]:
        """`x (T_i, n_mels)` of each request."""
        waveforms = [self._waveform(request) for request in requests]
        lens = torch.tensor([len(waveform) for waveform in waveforms], device=self.device)
        samples = pad_sequence(waveforms, batch_first=True)
        if self.device.type == "cuda":
            samples = samples.pin_memory()
        x, x_lens = self.features(samples.to(self.device, non_blocking=True), lens)
        return [row[:length].to(self.dtype) for row, length in zip(x, x_lens.tolist(), strict=True)]

    def _waveform(self, request: Request) -> Tensor:
        """A copy: callers' arrays may be read-only, reversed, or changed while this runs."""
        samples = torch.tensor(np.ascontiguousarray(request.samples))
        return F.pad(samples, (0, self.config.heard(self._samples(request)) - len(samples)))

    def _samples(self, request: Request) -> int:
        """How long it is, with the silence that was asked for, without the model's own."""
        return self.config.window if request.full_context else len(request.samples)

    def _padding_ratio(self, batches: Sequence[Sequence[Tensor]]) -> float:
        """Share of the encoded frames that is no speech."""
        dims = self.config.transformer
        strips = [Strip.of([len(x) for x in xs], dims) for xs in batches]
        padding = sum(strip.padding_ratio * strip.size for strip in strips)
        return padding / sum(strip.size for strip in strips)

    def _most_tokens(self, max_frames: int) -> int:
        """That a slot may hold, what the decoder is told included."""
        told = len(self.config.tokens.start) - 1
        return self.config.transformer.max_tokens or max_frames + told

    def _cost(self, request: Request) -> Cost:
        samples = self._samples(request)
        frames = self.config.encoder_len(samples)
        memory = self._cache.bytes_of(frames)
        if self._hears_ctc(request.options):
            memory += Posteriors.bytes_of(frames, self.config.transformer.vocab_size)
        if request.options.word_timestamps:
            memory *= 2  # it is kept for the end
        return Cost(frames, request.slots, memory, self.config.heard(samples) / SAMPLE_RATE)


def _step(decoder: Decoder, device: torch.device) -> Callable[..., Tensor]:
    """The decoder's step, recorded where that pays."""
    if device.type == "cuda":
        return GraphedStep(decoder.step, CudaRecorder(device))
    return decoder.step
