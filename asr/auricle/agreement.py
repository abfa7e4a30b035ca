"""Which words of an unfinished utterance stay: LocalAgreement-2 (Macháček et al. 2023).

Words that two successive hypotheses have in common are stable. The next hypothesis begins with
their tokens, so they never change.
"""

from dataclasses import dataclass

from auricle.hypothesis import Hypothesis
from auricle_types.transcript import gap


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a hypothesis, and how far into them each of its tokens reaches."""

    text: str
    hypothesis: Hypothesis
    reaches: tuple[
        int, ...
    ]  # letters of `text` that the first 1, 2, ... tokens say; -1: of no interest


class LocalAgreement:
    """Compares each hypothesis of one utterance with the one before.

    Attributes:
        prefix: the stable tokens, with which the next hypothesis begins; None: there are none.
        text: the stable words.
        last_end: how far the audio of the last hypothesis went, in seconds.
    """

    def __init__(self) -> None:
        self.prefix: Hypothesis | None = None
        self.text = ""
        self._last = ""
        self.last_end = 0.0

    def agreed(self, wording: Wording) -> int:
        """Count the first tokens of `wording` whose words the last hypothesis has, too."""
        common = _common(self._last, wording.text)
        agreed = [
            (reach, -count)  # behind the last word a token may say nothing: the fewest count
            for count, reach in enumerate(wording.reaches, 1)
            if 0 < reach <= common
            and _is_followed(wording.text, reach)
            and _is_edge(self._last, reach)
        ]
        _, count = max(agreed, default=(0, 0))
        return -count

    def accept(self, wording: Wording, count: int) -> None:
        """Let the first `count` tokens be stable; the last hypothesis had them already."""
        found = wording.hypothesis
        share = found.log_prob * count / max(found.steps, 1)
        self.prefix = Hypothesis(found.tokens[:count], share, ended=False, language=found.language)
        self.text = wording.text[: wording.reaches[count - 1]]

    def remember(self, wording: Wording, end: float) -> None:
        """Compare the next hypothesis with this one, of audio up to `end` (seconds)."""
        self._last, self.last_end = wording.text, end


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    unlike = (place for place, (left, right) in pairs if left != right)
    return next(unlike, min(len(one), len(other)))


def _is_followed(text: str, place: int) -> bool:
    """Whether a word ends at `place`, and another one follows: the last word may be unfinished."""
    return place < len(text) and _is_edge(text, place)


def _is_edge(text: str, place: int) -> bool:
    left, right = text[:place], text[place:]
    return not right or right[0].isspace() or not gap(left, right)
