"""How Whisper is decoded (Radford et al. 2022): its prompts, rules, doubts and times."""

from auricle.decoding.whisper.dialect import WhisperDialect
from auricle.decoding.whisper.prompts import plain_prompt
from auricle.decoding.whisper.stretches import Heard
from auricle.decoding.whisper.timing import WordTimer
from auricle.decoding.whisper.windows import Windows

__all__ = ["Heard", "WhisperDialect", "Windows", "WordTimer", "plain_prompt"]
