"""One audio through the model, and what was seen of it at four places on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sentencepiece as spm
import torch
from torch import Tensor

from auricle.audio import Audio
from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.cutting import SILENCE_PEAK
from auricle.decoding import Casting
from auricle.decoding.alignment import Span, aligned_spans, greedy_spans
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.errors import AudioError, AuricleError, InvalidOptionError
from auricle.features import LogMel
from auricle.hypothesis import Hypothesis
from auricle.inspection.listening import attention_weights, listening
from auricle.model import Decoder, Encoder
from auricle.tokenizer import Tokenizer
from auricle.vad import speaks


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What a model looked at, and what it said. Tensors are float32 on the CPU."""

    config: ModelConfig
    vocabulary: tuple[str, ...]  # V pieces as SentencePiece writes them: U+2581 begins a word
    x: Tensor  # (T, n_mels) log-mel features
    layer: int  # of the encoder, counted from 1
    self_attention: Tensor  # (H, N, N) of that layer: in each row, what one frame attends to
    hypothesis: Hypothesis
    text: str  # of the hypothesis
    cross_attention: Tensor  # (U, N) of the decoder's last layer, the mean over its heads
    ctc: Tensor  # (N, V) posteriors
    heard: tuple[Span, ...]  # what the CTC head says by itself
    aligned: tuple[Span, ...]  # the hypothesis' U tokens by the CTC head; () if they do not fit

    @property
    def confidence(self) -> float:
        """0 to 1, as a recogniser gives it."""
        return self.config.calibration.confidence(self.hypothesis.confidence)

    @property
    def x_seconds(self) -> float:
        """From one feature frame to the next."""
        return 1 / self.config.features.frames_per_second

    @property
    def frame_seconds(self) -> float:
        """From one encoder frame to the next."""
        return self.x_seconds * self.config.transformer.subsampling

    def piece(self, token: int) -> str:
        """A token as SentencePiece writes it."""
        return self.vocabulary[token]


@torch.inference_mode()
def observe(checkpoint: Checkpoint, audio: Audio, layer: int | None = None) -> Observation:
    """Recognise `audio` as a recogniser does in float32 on a CPU, with its defaults, and look on.

    Args:
        checkpoint: as `load_checkpoint` gives it.
        audio: no longer than the model's window.
        layer: of the encoder, counted from 1; None: the last.

    Raises:
        AudioTooLongError: the audio does not fit the window.
        AudioError: it is so silent that a recogniser would not listen to it.
        InferenceError: the model computes what is not finite.
        InvalidOptionError: there is no such layer, or the model has no CTC head.
    """
    model, tokenizer = checkpoint.model, checkpoint.tokenizer
    if not model.config.transformer.ctc or not isinstance(tokenizer, Tokenizer):
        raise InvalidOptionError(f"{model.config.name}: only models with a CTC head are drawn")
    layer = _checked_layer(layer, model.config)
    hypothesis = _recognize(checkpoint, audio)
    x = _features(audio, model.config)
    encoder_out, self_attention = _encode(model.encoder, x, layer)
    ctc_log_probs = model.ctc(encoder_out).log_softmax(dim=-1)
    return Observation(
        config=model.config,
        vocabulary=_vocabulary(tokenizer),
        x=x,
        layer=layer,
        self_attention=self_attention,
        hypothesis=hypothesis,
        text=tokenizer.decode(hypothesis.tokens),
        cross_attention=_recall(model.decoder, encoder_out, hypothesis.tokens),
        ctc=ctc_log_probs.exp(),
        heard=greedy_spans(ctc_log_probs),
        aligned=aligned_spans(ctc_log_probs, hypothesis.tokens),
    )


def _checked_layer(layer: int | None, config: ModelConfig) -> int:
    layers = config.transformer.encoder_layers
    if layer is None:
        return layers
    if not 1 <= layer <= layers:
        raise InvalidOptionError(f"layer must be 1 to {layers} with this model, not {layer}")
    return layer


def _recognize(checkpoint: Checkpoint, audio: Audio) -> Hypothesis:
    """By a runner of the engine, so that nothing is observed that a recogniser would not say."""
    if np.abs(audio.samples).max() < SILENCE_PEAK:
        raise AudioError("the audio is silent: there is nothing to look at")
    runner = ModelRunner(
        checkpoint.model,
        torch.device("cpu"),
        casting=Casting.of(checkpoint.model.config, checkpoint.language_model),
    )
    job = Job(Request(audio.samples, speech=speaks(audio.samples)), submitted=0.0)
    runner.check(job.request)
    runner.join([job])
    while not (done := runner.step()):
        pass
    ((_, result),) = done
    if isinstance(result, AuricleError):
        raise result
    return result


def _features(audio: Audio, config: ModelConfig) -> Tensor:
    """`x (T, n_mels)`."""
    samples = torch.tensor(audio.samples)
    xs, _ = LogMel(config.features)(samples[None], torch.tensor([len(samples)]))
    x: Tensor = xs[0]
    return x


def _encode(encoder: Encoder, x: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """`encoder_out (N, D)`, and the weights `(H, N, N)` of a layer's heads."""
    with listening(encoder.layers[layer - 1].attention) as heard:
        (encoder_out,) = encoder.encode([x])
    ((query, key, _),) = heard
    frames = len(encoder_out)  # behind them the strip is filled up
    return encoder_out, attention_weights(query[0, :, :frames], key[0, :, :frames])


def _recall(decoder: Decoder, encoder_out: Tensor, tokens: Sequence[int]) -> Tensor:
    """Where the last layer looks when each of `tokens` is said: `(U, N)`, mean over its heads."""
    cross_attention = decoder.layers[-1].cross_attention
    said = torch.tensor([[Tokenizer.start_id, *tokens]])
    with listening(cross_attention) as heard:
        decoder(said, encoder_out[None], torch.tensor([len(encoder_out)]))
    ((query,),) = heard
    key, _ = cross_attention.keys_values(encoder_out[None])
    return attention_weights(query, key)[0].mean(dim=0)[:-1]  # the last position says END


def _vocabulary(tokenizer: Tokenizer) -> tuple[str, ...]:
    processor = spm.SentencePieceProcessor()
    processor.LoadFromSerializedProto(tokenizer.serialized)
    return tuple(str(processor.IdToPiece(token)) for token in range(tokenizer.vocab_size))
