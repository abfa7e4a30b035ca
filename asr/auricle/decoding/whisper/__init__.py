"""How Whisper is decoded (Radford et al. 2022): its prompts, rules, doubts and times."""

from auricle.decoding.whisper.dialect import WhisperDialect
from auricle.decoding.whisper.timing import WordTimer
from auricle.decoding.whisper.windows import Windows

__all__ = ["WhisperDialect", "Windows", "WordTimer"]
