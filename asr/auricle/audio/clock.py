"""The clock of a container: what it skips is silence, so that later words keep their times."""

from auricle.audio.formats import Format

_TOLERANCE_SECONDS = 0.1  # timestamps are rounded and jitter
_SET_BACK_SECONDS = 1.0


class Clock:
    """Follows the times of frames, in seconds, from `start` on; None: the first frame's."""

    def __init__(self, format: Format, start: float | None) -> None:
        self._max_gap = format.max_gap
        self._due = start

    def gap(self, time: float, seconds: float) -> float:
        """The seconds of silence before a frame at `time` that lasts `seconds`.

        Time that is set back, or leaps too far, is a clock set anew.
        """
        due = time if self._due is None else self._due
        ahead = time - due
        gap = ahead if _TOLERANCE_SECONDS < ahead <= self._max_gap else 0.0
        anew = gap or ahead > self._max_gap or ahead < -_SET_BACK_SECONDS
        self._due = (time if anew else due) + seconds
        return gap
