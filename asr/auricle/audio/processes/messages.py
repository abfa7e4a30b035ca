"""The messages between a decoding process and its owner, which take turns.

The owner sends `OpenAudio`, then for each `DecoderReply` either bytes, `NextSamples` or
`LeaveAudio`. A reply is plain numbers and texts, so that whoever takes a decoding process over
cannot make its owner run code.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np

from auricle.audio.audio import Samples
from auricle_types.errors import AudioError
from auricle_types.options import PcmFormat
from auricle_types.parsing import parse_json

MAX_SAMPLES = 1 << 16  # of one reply: 4 s
MAX_REPLY_BYTES = 1 + 4 * MAX_SAMPLES


# --- to the process ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenAudio:
    """Begin with another audio; `pcm` is the format of headerless bytes."""

    pcm: PcmFormat | None


@dataclass(frozen=True, slots=True)
class NextSamples:
    """Go on with this audio."""


@dataclass(frozen=True, slots=True)
class LeaveAudio:
    """Leave this audio: nobody wants the rest."""


# --- from it -----------------------------------------------------------------------------------


class ReplyKind(IntEnum):
    """What a reply asks for or tells."""

    READ = 1  # asks for bytes; none are the end
    DECODED = 2  # asks for `NextSamples`
    ENDED = 3  # the audio, with what there is to say of it
    FAILED = 4  # it cannot be decoded
    BROKEN = 5  # the same, and the process ends
    CLOSED = 6  # it is ready for an audio, also after `LeaveAudio`


@dataclass(frozen=True, slots=True, eq=False)
class DecoderReply:
    """One reply, with the samples `(S,)` that were decoded before it, or else with texts."""

    kind: ReplyKind
    samples: Samples
    texts: Mapping[str, object] | None = None

    def encoded(self) -> bytes:
        """Write it as bytes."""
        body = self.samples.tobytes() if self.texts is None else json.dumps(self.texts).encode()
        return bytes([self.kind]) + body

    @classmethod
    def decoded(cls, data: bytes) -> Self:
        """Read what `encoded` wrote. Raises ValueError for anything else."""
        kind = ReplyKind(data[0] if data else 0)
        if kind in (ReplyKind.READ, ReplyKind.DECODED):
            return cls(kind, np.frombuffer(data, np.float32, offset=1).copy())
        texts = parse_json(data[1:])
        if not isinstance(texts, dict):
            raise ValueError("a reply without texts")
        return cls(kind, no_samples(), texts)


def no_samples() -> Samples:
    """Return no samples at all."""
    return np.zeros(0, np.float32)


def error_of(texts: Mapping[str, object]) -> Exception:
    """Make the error that a process tells; RuntimeError for what it did not foresee."""
    known: list[type[AudioError]] = [AudioError, *AudioError.__subclasses__()]
    kind = next((each for each in known if each.reason == texts.get("reason")), None)
    message = str(texts.get("message"))
    return kind(message) if kind else RuntimeError(f"in a process that decodes: {message}")
