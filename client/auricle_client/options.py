"""What a caller may ask for. The server checks the values; it knows its limits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The format of headerless audio. A container's own header wins over it."""

    sample_rate: int  # Hz
    channels: int = 1
    encoding: str = "s16le"  # an AudioEncoding of the wire, in lower case


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """How to recognise one audio. None leaves the choice to the server."""

    model: str | None = None  # an id or a name of `list_models`
    pcm: PcmFormat | None = None  # for headerless audio only
    beam_size: int | None = None
    max_tokens: int | None = None
    length_penalty: float | None = None
    temperature: float | None = None  # of sampling; 0: none
    seed: int | None = None  # of sampling: the same seed, the same text
    ctc_weight: float | None = None  # CTC's share of a score, 0 to 1
    lm_weight: float | None = None  # the language model's part beside that, 0 or more
    token_reward: float | None = None  # beside the language model's log-probability of each token
    guards: bool | None = None  # end what cannot be speech
    language: str | None = None  # that is spoken, by its code or English name
    task: str | None = None  # transcribe, or translate into English
    prompt: str | None = None  # what was said before, or words that are likely
    timestamps: bool | None = None  # let the model say times
    word_timestamps: bool | None = None  # find out when each word was said
    fallback: bool | None = None  # search again, warmer, where words are doubtful
