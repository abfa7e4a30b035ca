"""The runner is the one file that touches the device: waveforms in, hypotheses out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SAMPLE_RATE
from auricle.decoding import (
    ContinuousDecoder,
    Decoding,
    EncodedUtterance,
    Posteriors,
    ScorerFactory,
    UtteranceFacts,
    begun,
    compile_now,
)
from auricle.engine.devices import activations, prepare
from auricle.engine.request import Cost, Job, Request, Room
from auricle.families import new_features
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
from auricle_types.options import DecodingOptions, EngineConfig

MIB = 1024 * 1024
_Encoded = tuple[Tensor, Tensor | None]  # the decoder's memory, CTC's log-probabilities


class ModelRunner:
    """Runs a `SpeechTransformer` on one device."""

    def __init__(
        self,
        model: SpeechTransformer,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        config: EngineConfig | None = None,
        scorers: ScorerFactory | None = None,
    ) -> None:
        """Run `model`, or a copy of it where it must change for that (`prepare`).

        Args:
            model: what to run; several runners may share a prepared one.
            device: where.
            dtype: of weights and activations; int8: of matrix products on a CPU, of the weights
                alone elsewhere.
            config: the budgets; by default `GROUP` slots.
            scorers: makes the scorers of each search, by the policy of the model; several runners
                may share one. None: by a plain policy, without a language model.
        """
        config = config or EngineConfig(slots=GROUP)
        self.device = device
        self.dtype = activations(dtype, device)
        self.exact = config.exact
        self._scorers = scorers or ScorerFactory.of(model.config)
        self.model = prepare(model, device, dtype)
        self.config = model.config
        self.features = new_features(model.config).to(device)
        if device.type == "cpu":
            check_rows(self.model, GROUP)
            check_rows(self.model.encoder, LARGEST)
        self._slots = config.slots
        self._cache_bytes = config.max_cache_mib * MIB
        max_frames = self.config.encoder_len(self.config.window)
        self._max_tokens = self._most_tokens(max_frames)
        self._cache = new_cache(
            self.model.decoder,
            slots=config.slots,
            max_frames=max_frames,
            max_tokens=self._max_tokens,
            exact=config.exact,
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
        if self._scorers.language_model is not None:
            compile_lookup(self._scorers.language_model)

    @property
    def room(self) -> Room:
        """The free budgets for jobs that could join now."""
        held = sum(job.cost.cache_bytes for job in self._decodings.values())
        return Room(self._decoder.free_slots, self._cache_bytes - held)

    @property
    def pads(self) -> bool:
        """Whether utterances of like length belong together: attention pads, but for the CPU's."""
        return self.device.type != "cpu"

    def check(self, request: Request) -> Cost:
        """Compute what a request takes; refuse what could never run.

        Raises:
            EmptyAudioError: there are no samples.
            AudioTooLongError: there are more than the window holds.
            InvalidOptionError: the beam is wider than the slots, or the model cannot do what is
                asked for.
        """
        self._scorers.check(request.options)
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
        """Encode the jobs, and give each a place in the decoder.

        Raises:
            InferenceError: the encoder's output is not finite.
        """
        requests = [job.request for job in jobs]
        batches = [[request] for request in requests] if self.exact else [requests]
        xs = [self._features(batch) for batch in batches]
        encoded = [self._encode(*each) for each in zip(batches, xs, strict=True)]
        self._enter(jobs, [each for batch in encoded for each in batch])
        return self._padding_ratio(xs)

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """Decode one token for all that have joined; return and forget those that are done."""
        done: list[tuple[Job, Hypothesis | AuricleError]] = []
        for decoding in self._decoder.step():
            job = self._decodings.pop(decoding)
            self._decoder.leave(decoding)
            if decoding.wants_full_context:
                self._join_again(job, decoding.result)
            else:
                found = decoding.error or self._scorers.result(decoding, job.request.options)
                done.append((job, found))
        return done

    def _join_again(self, job: Job, found: Hypothesis) -> None:
        """Decode again, with the silence that fills the window: without it this was found."""
        job.guards = (*found.guards, "full_context")
        job.request = replace(job.request, full_context=True)
        job.cost = self._cost(job.request)
        self.join([job])

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        decoding = next(d for d, owner in self._decodings.items() if owner is job)
        del self._decodings[decoding]
        self._decoder.leave(decoding)

    def _encode(self, requests: Sequence[Request], xs: Sequence[Tensor]) -> list[_Encoded]:
        """Turn features `(T_i, n_mels)` into the decoder's memory of each, and CTC's output."""
        encoder_outs = self.model.encoder.encode(xs)
        if not all(torch.isfinite(encoder_out).all() for encoder_out in encoder_outs):
            raise InferenceError("the encoder's output is not finite: check the audio's level")
        memories = self.model.decoder.project_memory(encoder_outs)
        if not any(self._needs_ctc(request.options) for request in requests):
            return [(memory, None) for memory in memories]
        return list(zip(memories, self._ctc(encoder_outs), strict=True))

    def _ctc(self, encoder_outs: Sequence[Tensor]) -> list[Tensor]:
        """Compute CTC's log-probabilities `(N_i, V)` of each, in float32 on the host."""
        logits = self.model.ctc(torch.cat(list(encoder_outs)))
        log_probs = logits.log_softmax(dim=-1, dtype=torch.float32).cpu()
        return list(log_probs.split([len(encoder_out) for encoder_out in encoder_outs]))

    def _enter(self, jobs: Sequence[Job], encoded: Sequence[_Encoded]) -> None:
        entered: list[Job] = []
        try:
            for job, (memory, log_probs) in zip(jobs, encoded, strict=True):
                decoding = self._join(job.request, memory, log_probs)
                self._decodings[decoding] = job
                entered.append(job)
                given = decoding.setup.given_tokens
                decoding.hotwords = self._scorers.hotwords(job.request.options, given)
                if job.request.options.word_timestamps:
                    decoding.encoded = self._encoded(job.request, memory, log_probs)
        except Exception:
            for job in entered:
                self.leave(job)
            raise

    def _join(self, request: Request, memory: Tensor, log_probs: Tensor | None) -> Decoding:
        options, frames = request.options, memory.shape[3]
        passes = self._scorers.passes(options, self._utterance(request))
        if passes is not None:
            return self._decoder.join_passes(memory, passes)
        needed = log_probs if self._needs_ctc(options) else None
        finite = needed is None or bool(torch.isfinite(needed).all())
        posteriors = self._posteriors(needed) if needed is not None and finite else None
        scorers = self._scorers.scorers(
            options,
            self._most(frames),
            request.seconds,
            posteriors,
            speech=request.speech,
            prefix=request.prefix,
        )
        setup = begun(self.config.tokens.start, request.prefix)
        decoding = self._decoder.join(memory, scorers.search, scorers.ctc, scorers.lm, setup)
        if not finite:
            decoding.error = InferenceError("CTC's probabilities are not finite")
        return decoding

    def _posteriors(self, log_probs: Tensor) -> Posteriors:
        return Posteriors.of(log_probs.numpy(), end=self.config.tokens.end)

    def _utterance(self, request: Request) -> UtteranceFacts:
        short = self.config.encoded_samples(self._samples(request)) < self.config.window
        return UtteranceFacts(
            request.seconds, request.speech, request.speech_end, short, request.prefix
        )

    def _encoded(
        self, request: Request, memory: Tensor, log_probs: Tensor | None
    ) -> EncodedUtterance:
        """Copy CTC's part: the rest is shared by all that were encoded together."""
        config, samples = self.config, len(request.samples)
        stride = config.features.hop_length * config.transformer.subsampling
        return EncodedUtterance(
            self.model.decoder,
            memory,
            None if log_probs is None else log_probs.clone(),
            min(max(samples // stride, 1), memory.shape[3]),  # whole ones
        )

    def _most(self, frames: int) -> int:
        """Return how many tokens a text may have: with a CTC head, one for each encoder frame."""
        room = self._max_tokens - len(self.config.tokens.start) + 1
        return min(frames, room) if self.config.transformer.ctc else room

    def _needs_ctc(self, options: DecodingOptions) -> bool:
        """Whether CTC is asked; a model without that head decodes by attention alone."""
        asked = options.ctc_share > 0 or options.guards or options.word_timestamps
        return self.config.transformer.ctc and asked

    def _features(self, requests: Sequence[Request]) -> list[Tensor]:
        """Compute `x (T_i, n_mels)` of each request."""
        waveforms = [self._waveform(request) for request in requests]
        lens = torch.tensor([len(waveform) for waveform in waveforms], device=self.device)
        samples = pad_sequence(waveforms, batch_first=True)
        if self.device.type == "cuda":
            samples = samples.pin_memory()
        x, x_lens = self.features(samples.to(self.device, non_blocking=True), lens)
        return [row[:length].to(self.dtype) for row, length in zip(x, x_lens.tolist(), strict=True)]

    def _waveform(self, request: Request) -> Tensor:
        """Copy the samples: callers' arrays may be read-only, reversed, or changed meanwhile."""
        samples = torch.tensor(np.ascontiguousarray(request.samples))
        return F.pad(
            samples, (0, self.config.encoded_samples(self._samples(request)) - len(samples))
        )

    def _samples(self, request: Request) -> int:
        """Return its length, with the silence that was asked for, without the model's own."""
        return self.config.window if request.full_context else len(request.samples)

    def _padding_ratio(self, batches: Sequence[Sequence[Tensor]]) -> float:
        """Return the share of the encoded frames that is no speech."""
        dims = self.config.transformer
        strips = [Strip.of([len(x) for x in xs], dims) for xs in batches]
        padding = sum(strip.padding_ratio * strip.size for strip in strips)
        return padding / sum(strip.size for strip in strips)

    def _most_tokens(self, max_frames: int) -> int:
        """Return how many tokens a slot may hold, the prompt included."""
        prompt = len(self.config.tokens.start) - 1
        return self.config.transformer.max_tokens or max_frames + prompt

    def _cost(self, request: Request) -> Cost:
        samples = self._samples(request)
        frames = self.config.encoder_len(samples)
        memory = self._cache.bytes_of(frames)
        if self._needs_ctc(request.options):
            memory += Posteriors.bytes_of(frames, self.config.transformer.vocab_size)
        if request.options.word_timestamps:
            memory *= 2  # it is kept for the end
        return Cost(
            frames, request.slots, memory, self.config.encoded_samples(samples) / SAMPLE_RATE
        )


def _step(decoder: Decoder, device: torch.device) -> Callable[..., Tensor]:
    """Return the decoder's step, recorded where that pays."""
    if device.type == "cuda":
        return GraphedStep(decoder.step, CudaRecorder(device))
    return decoder.step
