"""One audio through the model, and what was seen of it on the way."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from auricle.audio import Audio
from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.decoding import Casting, Dialect, Hearing, dialect_of
from auricle.decoding.filters import Tokens
from auricle.decoding.hearing import Places
from auricle.decoding.utterance import Utterance
from auricle.decoding.whisper.timing import later_half
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.features import new_features
from auricle.hypothesis import Hypothesis
from auricle.inspection.attention import attention_weights, recorded
from auricle.inspection.ctc import CtcOutput
from auricle.model import Encoder, SpeechTransformer
from auricle.segmentation.cutting import SILENCE_PEAK
from auricle.segmentation.vad import speaks, speech_end
from auricle.tokenizer import Vocabulary
from auricle_types.errors import AudioError, AuricleError, InvalidOptionError
from auricle_types.options import DecodingOptions


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What a model looked at, and what it said. Tensors are float32 on the CPU.

    T and N are frames of the audio, without the silence that Whisper puts behind it; each row of
    attention sums to 1 over them.
    """

    config: ModelConfig
    tokenizer: Vocabulary
    x: Tensor  # (T, n_mels) the model's own features
    layer: int  # of the encoder, counted from 1
    self_attention: Tensor  # (H, N, N) of that layer: in each row, what one frame attends to
    hypothesis: Hypothesis  # with its words' times; Moonshine has none
    cross_attention: Tensor  # (U, N) of the decoder, the mean over the heads that are drawn
    ctc: CtcOutput | None  # None: the model has no such head

    @property
    def text(self) -> str:
        """Of the hypothesis."""
        return self.tokenizer.decode(self.hypothesis.tokens)

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
        return self.config.transformer.subsampling / self.config.features.frames_per_second


@torch.inference_mode()
def observe(checkpoint: Checkpoint, audio: Audio, layer: int | None = None) -> Observation:
    """Recognise `audio` as a recogniser does in float32 on a CPU, with its defaults, and look on.

    Args:
        checkpoint: as `load_pretrained` gives it.
        audio: no longer than the model's window.
        layer: of the encoder, counted from 1; None: the last.

    Raises:
        AudioTooLongError: the audio does not fit the window.
        AudioError: it is so silent that a recogniser would not listen to it.
        InferenceError: the model computes what is not finite.
        InvalidOptionError: there is no such layer.
    """
    model, config = checkpoint.model, checkpoint.model.config
    layer = _checked_layer(layer, config)
    dialect = dialect_of(config, checkpoint.tokenizer)
    hypothesis = _recognize(checkpoint, dialect, audio)
    x, x_len = _features(audio, config), config.features.x_len(len(audio.samples))
    frames = max(config.transformer.encoder_len(x_len), 1)
    encoder_out, query, key = _encode(model.encoder, x, layer)
    (memory,) = model.decoder.memorise([encoder_out])
    hearing = Hearing(model.decoder, memory, None, frames)
    prompt, heads = _prompt(dialect, hypothesis, config), _heads(hearing, config)
    return Observation(
        config=config,
        tokenizer=checkpoint.tokenizer,
        x=x[:x_len],
        layer=layer,
        self_attention=attention_weights(query[:, :frames], key[:, :frames]),
        hypothesis=hypothesis,
        cross_attention=_cross_attention(hearing, prompt, hypothesis.tokens, heads),
        ctc=_ctc(model, encoder_out, hypothesis.tokens),
    )


def _checked_layer(layer: int | None, config: ModelConfig) -> int:
    layers = config.transformer.encoder_layers
    if layer is None:
        return layers
    if not 1 <= layer <= layers:
        raise InvalidOptionError(f"layer must be 1 to {layers} with this model, not {layer}")
    return layer


def _recognize(checkpoint: Checkpoint, dialect: Dialect, audio: Audio) -> Hypothesis:
    """By a runner of the engine, so that nothing is observed that a recogniser would not say."""
    if np.abs(audio.samples).max() < SILENCE_PEAK:
        raise AudioError("the audio is silent: there is nothing to look at")
    config = checkpoint.model.config
    casting = Casting.of(config, checkpoint.language_model, dialect)
    runner = ModelRunner(checkpoint.model, torch.device("cpu"), casting=casting)
    timed = DecodingOptions(word_timestamps=config.transformer.ctc or config.family == "whisper")
    speech = speaks(audio.samples)
    end = speech_end(audio.samples) or None if speech and config.family == "whisper" else None
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
    """`x (T, n_mels)`, of the silence behind the audio, too, where the model wants it."""
    samples = torch.tensor(audio.samples)
    samples = F.pad(samples, (0, config.heard(len(samples)) - len(samples)))
    xs, _ = new_features(config.features)(samples[None], torch.tensor([len(samples)]))
    x: Tensor = xs[0]
    return x


def _encode(encoder: Encoder, x: Tensor, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """`encoder_out (N, D)`, and a layer's queries and keys `(H, N, D // H)`."""
    with recorded(encoder.layers[layer - 1].attention) as calls:
        (encoder_out,) = encoder.encode([x])
    ((query, key, _),) = calls
    frames = len(encoder_out)  # behind them the strip is filled up
    return encoder_out, query[0, :, :frames], key[0, :, :frames]


def _cross_attention(hearing: Hearing, prompt: Tokens, tokens: Tokens, heads: Places) -> Tensor:
    """Where the decoder looks when it says each of `tokens`: `(U, N)`, the mean over `heads`."""
    weights, _ = hearing.read((*prompt, *tokens), heads)
    first = len(prompt) - 1  # the row that says the first token; the last row says END
    return weights[:, first:-1].mean(dim=0)


def _prompt(dialect: Dialect, hypothesis: Hypothesis, config: ModelConfig) -> Tokens:
    """What the decoder was given before its first token."""
    options = DecodingOptions(language=hypothesis.language)
    course = dialect.course(options, Utterance())
    return course.begin().prelude.prompt if course else config.tokens.start


def _heads(hearing: Hearing, config: ModelConfig) -> Places:
    """Whisper's are those that word times come from, others' those of the last layer."""
    if config.family == "whisper":
        return config.alignment_heads or later_half(hearing)
    last = config.transformer.decoder_layers - 1
    return [(last, head) for head in range(config.transformer.n_heads)]


def _ctc(model: SpeechTransformer, encoder_out: Tensor, tokens: Tokens) -> CtcOutput | None:
    if not model.config.transformer.ctc:
        return None
    return CtcOutput.of(model.ctc(encoder_out).log_softmax(dim=-1), tokens)
