"""Every option that several rooms share: one line each, with default, range and help sentence."""

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Literal, cast

from auricle_types.errors import InvalidOptionError
from auricle_types.hotwords import HOTWORD_WEIGHT, Hotword, as_hotwords
from auricle_types.metadata import AT_LEAST_ONE, FINITE, POSITIVE, Range, check, option
from auricle_types.quoting import quoted

CTC_WEIGHT = 0.5  # CTC's share of a score, where a model has that head
LANGUAGE_CHARACTERS = 100
PROMPT_CHARACTERS = 10_000  # far more than the tokens that a model takes
LM_WEIGHT = 0.3  # the language model's part of a beam's scores; chosen on the dev sets

AudioContext = Literal["auto", "full"]
Task = Literal["transcribe", "translate"]
# The names are FFmpeg's, which most people know.
Encoding = Literal[
    "u8", "s8", "s16le", "s16be", "s24le", "s32le", "f32le", "f64le", "mulaw", "alaw"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How one request is decoded. Requests with different options may share a batch."""

    beam_size: int = option(
        1, "Hypotheses that the search keeps; 1 is greedy search.", Range(1, 32), flag="beam"
    )
    alternatives: int = option(
        1,
        "Most texts for each piece of audio, the likeliest first; the beam is at least as wide.",
        Range(1, 32),
    )
    max_tokens: int | None = option(
        None,
        "Most tokens for one piece of audio; by default the piece's length sets the limit.",
        AT_LEAST_ONE,
    )
    length_penalty: float = option(
        1.0,
        "Exponent of the length that divides a beam's scores; larger favours longer texts.",
        Range(0, 10),
    )
    temperature: float = option(
        0.0, "Temperature of sampling; 0 takes the likeliest token each time.", Range(0, 10)
    )
    seed: int | None = option(
        None,
        "Seed of sampling; the same seed gives the same text, without one each run differs.",
        Range(0, 2**63 - 1),
    )
    ctc_weight: float | None = option(
        None,
        "Share of the CTC head in a score; 0 leaves it to the decoder. Not for Whisper.",
        Range(0, 1),
        default_text=str(CTC_WEIGHT),
    )
    lm_weight: float | None = option(
        None,
        "Weight of the language model in a beam's scores; 0 leaves it out.",
        Range(0, 10),
        default_text=str(LM_WEIGHT),
    )
    token_reward: float = option(
        2.0,
        "Score that each token adds beside the language model, so that long texts can win.",
        Range(0, 100),
    )
    guards: bool = option(
        True, "End a text that cannot be speech: words for noise, loops, too many tokens."
    )
    language: str | None = option(
        None, "Spoken language, as a code or English name; detected when absent."
    )
    task: Task = option("transcribe", "Transcribe, or translate into English where the model can.")
    prompt: str | tuple[int, ...] | None = option(
        None, "Text that came before the audio, or words that are likely. Only for Whisper."
    )
    timestamps: bool | None = option(
        None,
        "Let the model predict times between its words. Only for Whisper.",
        default_text="the model's own",
    )
    word_timestamps: bool = option(False, "Find the time of each word, for json output.")
    fallback: bool | None = option(
        None,
        "Decode doubtful text again at higher temperatures. Only for Whisper.",
        default_text="no",
    )
    hotwords: tuple[Hotword | str, ...] = option(
        (),
        f"Phrase to favour; its weight ({HOTWORD_WEIGHT:g} by default) counts for each token.",
        flag="hotword",
        metavar="PHRASE[:WEIGHT]",
    )

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "hotwords", as_hotwords(self.hotwords))
        if self.language is not None and len(self.language) > LANGUAGE_CHARACTERS:
            raise InvalidOptionError(f"language must be a code or a name: {quoted(self.language)}")
        if isinstance(self.prompt, str) and len(self.prompt) > PROMPT_CHARACTERS:
            raise InvalidOptionError(
                f"prompt must have at most {PROMPT_CHARACTERS} characters: its end is what counts"
            )
        if self.alternatives > self.beam_size:  # a narrower beam would not find as many
            object.__setattr__(self, "beam_size", self.alternatives)
        if self.temperature and self.beam_size > 1:
            raise InvalidOptionError("temperature must be 0 with a beam: only beam_size 1 samples")

    @property
    def phrases(self) -> tuple[Hotword, ...]:
        """The hotwords, each with its weight."""
        return cast("tuple[Hotword, ...]", self.hotwords)

    @property
    def ctc_share(self) -> float:
        """CTC's share of a score where the model has that head, 0 to 1."""
        return CTC_WEIGHT if self.ctc_weight is None else self.ctc_weight


@dataclass(frozen=True, slots=True)
class StreamingOptions:
    """How a live stream is cut into utterances, and what is told while somebody speaks."""

    interim_results: bool = option(
        False, "Tell the words of an utterance while it is spoken; they may still change."
    )
    interim_interval: float = option(
        0.5, "Seconds of new audio between two interim results.", Range(0.1, 60)
    )
    voice_activity: bool = option(
        False, "Tell when somebody begins to speak, stops, and when all words have come."
    )
    end_silence: float = option(0.6, "Seconds of silence that end an utterance.", Range(0.1, 60))
    start_silence: float | None = option(
        None,
        "Seconds without speech after which a single utterance ends without words.",
        POSITIVE,
        default_text="no limit",
    )
    max_utterance: float | None = option(
        None,
        "Most seconds of an utterance; a longer one is cut, if possible where nobody speaks.",
        Range(4, 3600),
        default_text="the model's window",
    )
    prefix_padding: float = option(
        0.25, "Seconds of silence that are kept before an utterance.", Range(0, 1)
    )
    speech_threshold: float = option(
        0.5, "Probability from which the detector's frames of 32 ms are speech.", Range(0.05, 0.95)
    )
    single_utterance: bool = option(False, "End the stream with its first utterance.")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The format of headerless bytes. A container's own header wins over it.

    The rate is checked when the audio is read, against `AudioLimits`.
    """

    sample_rate: int = option(MISSING, "Sample rate of headerless (PCM) audio, in Hz.")
    channels: int = option(1, "Interleaved channels of headerless audio.", AT_LEAST_ONE)
    encoding: Encoding = option("s16le", "Encoding of headerless audio.")

    def __post_init__(self) -> None:
        check(self)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample in all channels."""
        digits = "".join(filter(str.isdigit, self.encoding))
        return self.channels * int(digits or 8) // 8  # mu-law and A-law have 8 bits


@dataclass(frozen=True, slots=True)
class LoadingOptions:
    """Which model runs, where, and with which numbers."""

    model: str = option("bundled", "Model to load, by its name or path.", metavar="NAME|PATH")
    lm: Path | None = option(
        None, "Language model that replaces the model's own.", default_text="the model's, if any"
    )
    device: str = option("auto", "Device that the model runs on.", metavar="cpu|cuda|auto")
    dtype: str = option(
        "auto", "Number type: float32, bfloat16, float16, int8 or auto.", metavar="TYPE"
    )
    audio_context: AudioContext | None = option(
        None,
        "Encode only the audio that there is (auto), or always the model's whole window (full).",
        default_text="the model's",
    )
    check_invariance: float = option(
        0.0, "Share of requests to decode a second time, alone, and to compare.", Range(0, 1)
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The engine's budgets; with several processes, those of each."""

    max_queue: int = option(
        256, "Pieces that may wait for a batch; one more is refused.", AT_LEAST_ONE
    )
    max_encode_seconds: float = option(
        30.0,
        "Seconds of audio that are encoded at a time, between two decode steps.",
        Range(0, FINITE, is_open=True),
    )
    slots: int = option(64, "Hypotheses that are decoded at once.", AT_LEAST_ONE)
    max_cache_mib: int = option(
        2048, "Memory for the decoder's state on a CPU, in MiB; a GPU reserves it.", AT_LEAST_ONE
    )
    exact: bool = option(False, "Give the same bits in any batch, on any device; this is slower.")
    processes: int = option(
        1,
        "Copies of the model, each with its share of the cores; more copies do more work a second.",
        AT_LEAST_ONE,
    )

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """How much of an untrusted audio is read: checked when declared, and while it is decoded."""

    max_bytes: int = option(256 * 1024 * 1024, "Most bytes of one recording as sent.", AT_LEAST_ONE)
    max_seconds: float = option(4 * 3600.0, "Most seconds of one recording.", POSITIVE)
    min_sample_rate: int = option(1_000, "Lowest sample rate, in Hz.", AT_LEAST_ONE)
    max_sample_rate: int = option(768_000, "Highest sample rate, in Hz.", AT_LEAST_ONE)
    max_channels: int = option(64, "Most channels of one recording.", AT_LEAST_ONE)

    def __post_init__(self) -> None:
        check(self)
