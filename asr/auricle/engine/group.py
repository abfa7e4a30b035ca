"""Jobs that are encoded together, and what they take of the budgets."""

from auricle.engine.request import Job, Room

EFFICIENCY = 0.90  # least share of useful frames among those that a padding encoder computes


class Group:
    """A leader and who fits beside it."""

    def __init__(self, leader: Job, room: Room, budget: float, *, pads: bool) -> None:
        """`budget`: seconds of audio, with the padding where the encoder `pads`."""
        self.jobs: list[Job] = []
        self.room = room  # that is left
        self.useful_frames = 0
        self._budget = budget
        self._pads = pads
        self._longest_frames = 0
        self._seconds = 0.0
        self._longest_seconds = 0.0
        self.add(leader)

    @property
    def leader(self) -> Job:
        """Who has waited longest."""
        return self.jobs[0]

    @property
    def fits(self) -> bool:
        """Whether the room is large enough; a leader may be too much for it by itself."""
        return min(self.room.slots, self.room.cache_bytes) >= 0

    @property
    def computed_frames(self) -> int:
        """Encoder frames, with the padding."""
        return self._longest_frames * len(self.jobs) if self._pads else self.useful_frames

    def takes(self, job: Job) -> bool:
        """Whether `job` fits in, too."""
        cost, room = job.cost, self.room
        if cost.slots > room.slots or cost.cache_bytes > room.cache_bytes:
            return False
        if not self._pads:
            return self._seconds + job.seconds <= self._budget
        count = len(self.jobs) + 1
        computed = max(self._longest_frames, cost.frames) * count
        seconds = max(self._longest_seconds, job.seconds) * count
        useful = self.useful_frames + cost.frames
        return seconds <= self._budget and useful >= EFFICIENCY * computed

    def add(self, job: Job) -> None:
        """Add `job` to the group."""
        cost, seconds = job.cost, job.seconds
        self.jobs.append(job)
        self.room = Room(self.room.slots - cost.slots, self.room.cache_bytes - cost.cache_bytes)
        self.useful_frames += cost.frames
        self._longest_frames = max(self._longest_frames, cost.frames)
        self._seconds += seconds
        self._longest_seconds = max(self._longest_seconds, seconds)
