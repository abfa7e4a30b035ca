"""Observes a model while it recognises one audio."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from auricle.audio import Audio
from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.decoding import DecodingPolicy, EncodedUtterance, ScorerFactory, UtteranceFacts
from auricle.decoding.encoded_utterance import Heads
from auricle.decoding.logits_processors import Tokens
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.families import new_features, new_policy
from auricle.hypothesis import Hypothesis
from auricle.inspection.attention import attention_weights, recorded
from auricle.inspection.ctc import CtcOutput
from auricle.model import Encoder, SpeechTransformer
from auricle.segmentation.vad import SILENCE_PEAK, speaks, speech_end
from auricle.tokenizer import Vocabulary
from auricle_types.errors import AudioError, AuricleError, InvalidOptionError
from auricle_types.options import DecodingOptions


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What a model attended to, and its result. Tensors are float32 on the CPU.

    T and N are frames of the audio, without silence that was added; each row of
    attention sums to 1 over them.
    """

    config: ModelConfig
    tokenizer: Vocabulary
    x: Tensor  # (T, n_mels) the model's own features
    layer: int  # of the encoder, counted from 1
    self_attention: Tensor  # (H, N, N) of that layer: in each row, what one frame attends to
    hypothesis: Hypothesis  # with its words' times, where the model has them
    cross_attention: Tensor  # (U, N) of the decoder, the mean over the heads that are drawn
    ctc: CtcOutput | None  # None: the model has no such head

    @property
    def text(self) -> str:
        """The text of the hypothesis."""
        return self.tokenizer.decode(self.hypothesis.tokens)

    @property
    def confidence(self) -> float:
        """The confidence, 0 to 1, that a recogniser gives."""
        return self.config.calibration.confidence(self.hypothesis.confidence)

    @property
    def x_seconds(self) -> float:
        """The time from one feature frame to the next."""
        return 1 / self.config.features.frames_per_second

    @property
    def frame_seconds(self) -> float:
        """The time from one encoder frame to the next."""
        return self.config.transformer.subsampling / self.config.features.frames_per_second


@torch.inference_mode()
def observe(checkpoint: Checkpoint, audio: Audio, layer: int | None = None) -> Observation:
    """Recognise `audio` as a recogniser does in float32 on a CPU, with its defaults, and record it.

    Args:
        checkpoint: as `load_pretrained` gives it.
        audio: no longer than the model's window.
        layer: of the encoder, counted from 1; None: the last.

    Raises:
        AudioTooLongError: the audio does not fit the window.
        AudioError: it is so silent that a recogniser would skip it.
        InferenceError: the model computes numbers that are not finite.
        InvalidOptionError: there is no such layer.
    """
    model, config = checkpoint.model, checkpoint.model.config
    layer = _checked_layer(layer, config)
    policy = new_policy(config, checkpoint.tokenizer)
    hypothesis = _recognize(checkpoint, policy, audio)
    x, x_len = _features(audio, config), config.features.x_len(len(audio.samples))
    frames = max(config.transformer.encoder_len(x_len), 1)
    encoder_out, query, key = _encode(model.encoder, x, layer)
    (memory,) = model.decoder.project_memory([encoder_out])
    encoded = EncodedUtterance(model.decoder, memory, None, frames)
    prompt, heads = _prompt(policy, hypothesis, config), policy.alignment_heads(encoded)
    return Observation(
        config=config,
        tokenizer=checkpoint.tokenizer,
        x=x[:x_len],
        layer=layer,
        self_attention=attention_weights(query[:, :frames], key[:, :frames]),
        hypothesis=hypothesis,
        cross_attention=_cross_attention(encoded, prompt, hypothesis.tokens, heads),
        ctc=_ctc(model, encoder_out, hypothesis.tokens),
    )


def _checked_layer(layer: int | None, config: ModelConfig) -> int:
    layers = config.transformer.encoder_layers
    if layer is None:
        return layers
    if not 1 <= layer <= layers:
        raise InvalidOptionError(f"layer must be 1 to {layers} with this model, not {layer}")
    return layer


def _recognize(checkpoint: Checkpoint, policy: DecodingPolicy, audio: Audio) -> Hypothesis:
    """Use a runner of the engine, so that the result is that of a recogniser."""
    if np.abs(audio.samples).max() < SILENCE_PEAK:
        raise AudioError("the audio is silent: there is nothing to look at")
    config = checkpoint.model.config
    scorers = ScorerFactory.of(config, policy, checkpoint.language_model, checkpoint.tokenizer)
    runner = ModelRunner(checkpoint.model, torch.device("cpu"), scorers=scorers)
    timed = DecodingOptions(word_timestamps=policy.has_word_times)
    speech = speaks(audio.samples)
    end = speech_end(audio.samples) or None if speech and policy.needs_speech_end else None
    job = Job(Request(audio.samples, timed, speech=speech, speech_end=end), submitted=0.0)
    runner.check(job.request)
    runner.join([job])
    while not (done := runner.step()):
        pass
    ((_, result),) = done
    if isinstance(result, AuricleError):
        raise result
    return result


def _features(audio: Audio, config: ModelConfig) -> Tensor:
    """Compute `x (T, n_mels)`, with silence behind the audio where the model wants it."""
    samples = torch.tensor(audio.samples)
    samples = F.pad(samples, (0, config.encoded_samples(len(samples)) - len(samples)))
    xs, _ = new_features(config)(samples[None], torch.tensor([len(samples)]))
    x: Tensor = xs[0]
    return x


def _encode(encoder: Encoder, x: Tensor, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return `encoder_out (N, D)`, and a layer's queries and keys `(H, N, D // H)`."""
    with recorded(encoder.layers[layer - 1].attention) as calls:
        (encoder_out,) = encoder.encode([x])
    ((query, key, _),) = calls
    frames = len(encoder_out)  # behind them the strip is filled up
    return encoder_out, query[0, :, :frames], key[0, :, :frames]


def _cross_attention(
    encoded: EncodedUtterance, prompt: Tokens, tokens: Tokens, heads: Heads
) -> Tensor:
    """Read where the decoder attends for each of `tokens`: `(U, N)`, the mean over `heads`."""
    weights, _ = encoded.attend((*prompt, *tokens), heads)
    first = len(prompt) - 1  # the row that predicts the first token; the last predicts END
    return weights[:, first:-1].mean(dim=0)


def _prompt(policy: DecodingPolicy, hypothesis: Hypothesis, config: ModelConfig) -> Tokens:
    """Return the prompt of the decoder."""
    options = DecodingOptions(language=hypothesis.language)
    passes = policy.passes(options, UtteranceFacts())
    return passes.first().setup.prompt if passes else config.tokens.start


def _ctc(model: SpeechTransformer, encoder_out: Tensor, tokens: Tokens) -> CtcOutput | None:
    if not model.config.transformer.ctc:
        return None
    return CtcOutput.of(model.ctc(encoder_out).log_softmax(dim=-1), tokens)
