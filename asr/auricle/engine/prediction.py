"""When an answer will be ready, as far as the engine's own steps tell."""

from collections.abc import Sequence

from auricle.engine.request import Job

MEMORY = 0.9  # what one more measurement leaves of the weight of those before it
DOUBT = 2.0  # an answer may well take this factor less than predicted
UNKNOWN = 1.0  # seconds: the hint before anything was measured


class Average:
    """An exponential average of a ratio: recent measurements count most, large ones more.

    The first measurement is left out: caches are cold and kernels not yet chosen.
    """

    def __init__(self) -> None:
        self._sums: tuple[float, float] | None = None  # replaced whole: any thread may read it

    def add(self, amount: float, weight: float) -> None:
        """Measured: `amount` for `weight`."""
        if self._sums is None:
            self._sums = 0.0, 0.0
        else:
            total, weights = self._sums
            self._sums = MEMORY * total + amount, MEMORY * weights + weight

    @property
    def value(self) -> float | None:
        """Amount for each unit of weight; None before anything was measured."""
        total, weights = self._sums or (0.0, 0.0)
        return total / weights if weights > 0 else None


class Prediction:
    """Learns what audio costs. One thread teaches it, any thread asks."""

    def __init__(self, slots: int) -> None:
        """For a decoder of so many slots."""
        self._slots = slots
        self._encode_seconds = Average()  # for each second of audio
        self._step_seconds = Average()  # for each step
        self._steps = Average()  # for each second of audio

    def encoded(self, audio_seconds: float, seconds: float) -> None:
        """A group of requests went through the encoder."""
        self._encode_seconds.add(seconds, audio_seconds)

    def stepped(self, seconds: float) -> None:
        """The decoder took a step."""
        self._step_seconds.add(seconds, 1.0)

    def finished(self, job: Job) -> None:
        """A request was decoded to its end."""
        self._steps.add(job.steps, job.request.seconds)

    def seconds(self, ahead: Sequence[Job], job: Job | None = None) -> float | None:
        """Seconds until all of `ahead` is done and then `job`; None before enough was measured.

        The encoder works through the audio that waits. The decoder is shared: what others need of
        it counts by the share of the slots that they take, `job` itself by its steps.
        """
        encode, step = self._encode_seconds.value, self._step_seconds.value
        steps = self._steps.value
        if encode is None or step is None or steps is None:
            return None
        audio = sum(one.seconds for one in ahead if one.phase == "waiting")
        shared = sum(_steps_left(one, steps) * one.request.slots for one in ahead) / self._slots
        own_audio, own_steps = (job.seconds, _steps_left(job, steps)) if job else (0.0, 0.0)
        return encode * (audio + own_audio) + step * (shared + own_steps)

    def lateness(self, ahead: Sequence[Job], job: Job, now: float) -> float:
        """Seconds by which `job` would miss its deadline; 0 where that is not certain.

        A refusal that was wrong is worse than a late answer. So half of what is predicted must
        still be too late, and where nothing is ahead, the engine always tries: it would
        never learn otherwise that it has become fast again.
        """
        seconds = self.seconds(ahead, job) if ahead else None
        if seconds is None or job.request.deadline is None:
            return 0.0
        return max(0.0, now + seconds / DOUBT - job.request.deadline)

    def until_half(self, ahead: Sequence[Job]) -> float:
        """Seconds until half of the work ahead is done: when to try again with a full queue."""
        seconds = self.seconds(ahead)
        return UNKNOWN if seconds is None else seconds / 2


def _steps_left(job: Job, steps_a_second: float) -> float:
    """That a request still needs: as many as its audio makes likely, no more than it may take."""
    likely = steps_a_second * job.request.seconds
    limit = job.request.options.max_tokens
    return max(0.0, (likely if limit is None else min(likely, limit)) - job.steps)
