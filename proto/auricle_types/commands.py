"""What a caller may say among the audio of a stream."""

from enum import Enum
from typing import Final, Literal, TypeAlias


class Command(Enum):
    """A command stands between two chunks of audio."""

    END_UTTERANCE = "end_utterance"


END_UTTERANCE: Final = Command.END_UTTERANCE  # the speaker has finished: do not wait for silence
EndUtterance: TypeAlias = Literal[Command.END_UTTERANCE]
