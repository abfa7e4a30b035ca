"""The dimensions of a model, as frozen dataclasses.

`ModelConfig` is saved with the weights: a checkpoint describes itself. Times derive from
`FeatureConfig`; there is no second constant for a frame.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from auricle_types.errors import InvalidOptionError
from auricle_types.options import AudioContext

SAMPLE_RATE = 16_000  # Hz; everything behind the audio reader runs at this rate
CTC_BLANK = 0  # the CTC head's output for no token
_LARGEST, _MOST_LAYERS = 1 << 20, 1_000  # far beyond any model: what says more is damaged


@dataclass(frozen=True, slots=True)
class FeatureConfig:
    """The encoder's input: `samples (B, S) -> x (B, T, n_mels)`. Lengths are in samples.

    The model's family says what a `kind` means: `log_mel` is the log-mel spectrogram with a fixed
    scale, `samples` are the samples themselves, with `n_mels` and `hop_length` of 1.
    """

    n_mels: int = 80
    n_fft: int = 400  # 25 ms
    hop_length: int = 160  # 10 ms
    floor: float = 1e-10  # energies below this are silence
    mean: float = -4.0  # of log10 mel energy over speech; fixed, so that no clip sees another
    std: float = 4.0
    kind: str = "log_mel"

    def __post_init__(self) -> None:
        for name in ("n_mels", "n_fft", "hop_length"):
            _check_count(name, getattr(self, name))
        if self.kind == "samples" and (self.n_mels, self.hop_length) != (1, 1):
            raise InvalidOptionError("n_mels and hop_length must be 1 where the kind is samples")

    @property
    def frames_per_second(self) -> float:
        """Feature frames a second."""
        return SAMPLE_RATE / self.hop_length

    def x_len(self, samples: int) -> int:
        """Frames of a waveform of `samples` samples: one a hop, the last one padded."""
        return math.ceil(samples / self.hop_length)


@dataclass(frozen=True, slots=True)
class Convolution:
    """One of the strided convolutions over time between the features and the encoder's layers.

    `width` is that of its output in units of `d_model`; `norm` normalises an utterance over all
    its frames and channels (GroupNorm of one group).
    """

    stride: int
    kernel: int = 3
    padding: int = 1
    width: int = 1
    activation: Literal["gelu", "tanh"] = "gelu"
    bias: bool = True
    norm: bool = False

    def __post_init__(self) -> None:
        for name in ("stride", "kernel", "width"):
            _check_count(f"the stem's {name}", getattr(self, name))
        if not 0 <= 2 * self.padding < self.kernel:
            raise InvalidOptionError(f"the stem's padding must be 0 to half of {self.kernel}")
        _check_choice("the stem's activation", self.activation, ("gelu", "tanh"))

    def out_len(self, x_len: int) -> int:
        """Frames that come out of `x_len`."""
        return (x_len + 2 * self.padding - self.kernel) // self.stride + 1

    def most(self, out_len: int) -> int:
        """The most frames that give `out_len`."""
        return out_len * self.stride + self.kernel - 2 * self.padding - 1


def strided(*strides: int) -> tuple[Convolution, ...]:
    """A stem like Whisper's: convolutions of kernel 3, padded by 1."""
    return tuple(Convolution(stride) for stride in strides)


Positions = Literal["rotary", "sinusoidal", "learned"]


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Every dimension of the encoder and the decoder.

    `conv_kernel` is the width of the depthwise convolution in each encoder layer (Conformer,
    Gulati et al. 2020); 0 gives the plain Transformer of Vaswani et al. 2017.
    """

    vocab_size: int = 96
    d_model: int = 192
    n_heads: int = 4
    encoder_layers: int = 6
    decoder_layers: int = 3
    ffn_dim: int = 768
    stem: tuple[Convolution, ...] = field(default_factory=lambda: strided(2, 2))
    conv_kernel: int = 15
    positions: Positions = "rotary"
    rotary_dim: int = 0  # leading dimensions of a head that turn; 0: all
    max_frames: int = 0  # learned positions of the encoder's frames
    max_tokens: int = 0  # tokens that the decoder is made for, its prompt included; 0: any number
    decoder_ffn: Literal["gelu", "swiglu"] = "gelu"
    attention_bias: bool = True
    norm_bias: bool = True
    scale_embedding: bool = True  # by sqrt(d_model) (Vaswani et al. 2017)
    tied: bool = True  # logits by the transposed embedding (Press & Wolf 2017)
    ctc: bool = True  # has a second head
    dropout: float = 0.1

    def __post_init__(self) -> None:
        names = ("vocab_size", "d_model", "n_heads", "encoder_layers", "decoder_layers", "ffn_dim")
        for name in names:
            most = _MOST_LAYERS if name.endswith("layers") else _LARGEST
            _check_count(name, getattr(self, name), most)
        _check_choice("positions", self.positions, ("rotary", "sinusoidal", "learned"))
        _check_choice("decoder_ffn", self.decoder_ffn, ("gelu", "swiglu"))
        if self.positions == "learned":
            _check_count("max_frames", self.max_frames)
            _check_count("max_tokens", self.max_tokens)
        if not 0 <= self.dropout < 1:
            raise InvalidOptionError(f"dropout must be 0 to 1, not {self.dropout}")
        if self.d_model % self.n_heads or (self.d_model // self.n_heads) % 2:
            raise InvalidOptionError(
                f"d_model={self.d_model} must split into n_heads={self.n_heads} heads of even width"
            )
        if not 0 <= self.rotary_dim <= self.head_dim or self.rotary_dim % 2:
            raise InvalidOptionError(
                f"rotary_dim must be even and 0 to {self.head_dim}, not {self.rotary_dim}"
            )
        if self.conv_kernel and (self.conv_kernel < 0 or self.conv_kernel % 2 == 0):
            raise InvalidOptionError(f"conv_kernel={self.conv_kernel} must be odd, or 0 for none")

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.n_heads

    @property
    def subsampling(self) -> int:
        """Feature frames for each encoder frame."""
        return math.prod(convolution.stride for convolution in self.stem)

    @property
    def least(self) -> int:
        """Feature frames without which there is not one encoder frame."""
        frames = 1
        for conv in reversed(self.stem):
            frames = max(conv.most(frames) - conv.stride + 1, 1)
        return frames

    @property
    def gap(self) -> int:
        """Encoder frames between two utterances in a row, so that no convolution sees both."""
        gap = max(1, self.conv_kernel // 2)
        reach, unit = 0, 1  # frames of an utterance beyond its encoder frames' strides; a frame's
        for conv in reversed(self.stem):
            reach = reach * conv.stride + conv.kernel - 2 * conv.padding - 1
            unit *= conv.stride
            gap = max(gap, -(-(reach + conv.kernel - 1 - conv.padding) // unit))
        return gap

    def encoder_len(self, x_len: int) -> int:
        """Encoder frames `N` of `x_len` feature frames `T`: the one subsampling formula.

        A convolution of kernel 3 and padding 1 gives `ceil(T / stride)`.
        """
        for convolution in self.stem:
            x_len = convolution.out_len(x_len)
        return x_len

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From plain values; `subsampling_strides` are those of a stem like Whisper's."""
        rest = dict(values)
        if "subsampling_strides" in rest:  # all that could be said once
            rest["stem"] = strided(*rest.pop("subsampling_strides"))
        elif "stem" in rest:
            rest["stem"] = tuple(Convolution(**each) for each in rest["stem"])
        return cls(**rest)


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Tokens that mean more to the decoder than their text."""

    start: tuple[int, ...] = (1,)  # the prompt, unless a request asks for another
    end: int = 2
    suppressed: tuple[int, ...] = (0, 1, 3)  # never chosen; `silent` in a checkpoint's header


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the mean probability of a hypothesis' tokens to a confidence (Platt 1999).

    `logit(confidence) = slope * logit(probability) + offset`, fitted so that it is the share of the
    answer's words that are right. The defaults change nothing.
    """

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        _check_positive("slope", self.slope)  # the likelier stays the more confident
        if not math.isfinite(self.offset):
            raise InvalidOptionError(f"offset must be finite, not {self.offset!r}")

    def confidence(self, probability: float) -> float:
        """0 to 1, of a probability of 0 to 1; certainty stays certainty."""
        if self == Calibration() or not 0 < probability < 1:
            return probability
        logit = self.slope * math.log(probability / (1 - probability)) + self.offset
        return 0.5 + 0.5 * math.tanh(0.5 * logit)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """All that a checkpoint must say of itself besides its weights and its tokenizer."""

    name: str = "unnamed"
    language: str = "en"
    window_seconds: float = 20.0  # the longest audio it was made for; longer audio is cut
    tokens_per_second: float = 13.0  # the most that is ever said
    family: str = "auricle"
    audio_context: AudioContext = "auto"  # encode what there is, or always the whole window
    short_context: bool = False  # the weights were taught to do with what there is
    margin_seconds: float = 0.0  # of silence that `auto` adds
    tokenizer: str = "sentencepiece"
    tokens: SpecialTokens = field(default_factory=SpecialTokens)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    # Of the decoder, layer and head of those that look where the words are; (): nobody has said.
    alignment_heads: tuple[tuple[int, int], ...] = ()
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        _check_positive("window_seconds", self.window_seconds)
        _check_positive("tokens_per_second", self.tokens_per_second)
        _check_choice("audio_context", self.audio_context, ("auto", "full"))
        if not 0 <= self.margin_seconds < math.inf:
            raise InvalidOptionError(f"margin_seconds must be at least 0: {self.margin_seconds}")
        self._check_heads()

    def _check_heads(self) -> None:
        layers, heads = self.transformer.decoder_layers, self.transformer.n_heads
        for layer, head in self.alignment_heads:
            if not (0 <= layer < layers and 0 <= head < heads):
                raise InvalidOptionError(
                    f"alignment_heads must be of {layers} layers with {heads} heads, "
                    f"not {layer}, {head}"
                )

    @property
    def window(self) -> int:
        """Samples of the longest audio."""
        return round(self.window_seconds * SAMPLE_RATE)

    def encoded_samples(self, samples: int) -> int:
        """How many samples are encoded of so many, silence behind them included."""
        if self.audio_context == "full":
            return self.window
        least = self.transformer.least * self.features.hop_length
        margin = round(self.margin_seconds * SAMPLE_RATE)
        return max(samples, least, min(samples + margin, self.window))

    def encoder_len(self, samples: int) -> int:
        """Encoder frames of a waveform of `samples` samples."""
        return self.transformer.encoder_len(self.features.x_len(self.encoded_samples(samples)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values only, as JSON wants them."""
        values = asdict(self)
        values["tokens"]["silent"] = values["tokens"].pop("suppressed")  # as the first files do
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`. Raises TypeError on unknown or missing names."""
        rest = dict(values)
        features = FeatureConfig(**rest.pop("features"))
        transformer = TransformerConfig.from_dict(rest.pop("transformer"))
        calibration = Calibration(**rest.pop("calibration", {}))  # newer than the first checkpoints
        heads = tuple((layer, head) for layer, head in rest.pop("alignment_heads", ()))
        return cls(
            features=features,
            transformer=transformer,
            tokens=_special_tokens(rest.pop("tokens", {})),
            alignment_heads=heads,
            calibration=calibration,
            **rest,
        )


def _special_tokens(values: dict[str, Any]) -> SpecialTokens:
    named = {"suppressed" if name == "silent" else name: value for name, value in values.items()}
    for name in named.keys() & {"start", "suppressed"}:
        named[name] = tuple(named[name])
    return SpecialTokens(**named)


def _check_count(name: str, value: object, most: int = _LARGEST) -> None:
    if not isinstance(value, int) or value < 1:
        raise InvalidOptionError(f"{name} must be a whole number of at least 1, not {value!r}")
    if value > most:
        raise InvalidOptionError(f"{name} must be at most {most}, not {value}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidOptionError(f"{name} must be {' or '.join(choices)}, not {value!r}")


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InvalidOptionError(f"{name} must be above 0 and finite, not {value!r}")
