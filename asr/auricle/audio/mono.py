"""Several channels to one: their mean, or a single channel where the mean would lose the sound.

A cable or a plug-in that turns one channel's sign makes speech on both of them silence in the mean.
"""

import numpy as np
import numpy.typing as npt

from auricle.audio.audio import Samples

_HOPS_PER_SECOND = 50
_MEMORY = 0.8  # a hop counts half after 60 ms: a vowel may cancel out, by chance, for one hop
_SILENCE = 1e-8  # -80 dB of full scale
_CANCELLED = 0.15  # times what independent channels have: 8 dB below it
_CLEARLY_LOUDER = 4.0
_NOTABLE = 0.1  # of the sound's energy

Powers = npt.NDArray[np.float64]  # (channels,)


class Downmix:
    """Feed `samples (S, channels)` in order, then flush; the result does not depend on the cuts.

    It decides every 20 ms, by the powers up to there.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self._hop = max(1, sample_rate // _HOPS_PER_SECOND)
        self._rest = np.zeros((0, channels), np.float32)
        self._mean_power = 0.0
        self._powers: Powers = np.zeros(channels)
        self._channel = 0
        self._energy = 0.0
        self._cancelled_energy = 0.0

    @property
    def cancelled(self) -> bool:
        """Whether of a notable part of the sound a single channel was taken."""
        return self._cancelled_energy > _NOTABLE * self._energy

    def feed(self, samples: Samples) -> Samples:
        """`(S',)`: the mono samples that `samples` complete, in whole hops."""
        if self.channels == 1:
            return np.ascontiguousarray(samples[:, 0])
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) - len(samples) % self._hop
        self._rest = samples[whole:]
        return self._mixed(samples[:whole], self._hop)

    def flush(self) -> Samples:
        """The last, shorter hop. Ends the stream."""
        rest, self._rest = self._rest, self._rest[:0]
        return self._mixed(rest, max(1, len(rest)))

    def _mixed(self, samples: Samples, hop: int) -> Samples:
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is refused later
            mono: Samples = samples.mean(axis=1, dtype=np.float32)
            mean_powers = mono.reshape(-1, hop).var(axis=1)
            powers = samples.reshape(-1, hop, self.channels).var(axis=1)
            for index, (mean_power, channel_powers) in enumerate(
                zip(mean_powers.tolist(), powers.astype(np.float64), strict=True)
            ):
                if self._is_cancelled(mean_power, channel_powers):
                    part = slice(index * hop, (index + 1) * hop)
                    mono[part] = samples[part, self._channel]
        return mono

    def _is_cancelled(self, mean_power: float, powers: Powers) -> bool:
        """Whether the mean is far quieter than the channels; chooses the channel to take."""
        self._mean_power = _MEMORY * self._mean_power + mean_power
        self._powers = _MEMORY * self._powers + powers
        self._energy += float(powers.sum())
        independent = self._powers.sum() / self.channels**2
        if not self._mean_power < _CANCELLED * independent or independent < _SILENCE:
            return False
        loudest = int(self._powers.argmax())
        if self._powers[loudest] > _CLEARLY_LOUDER * self._powers[self._channel]:
            self._channel = loudest
        self._cancelled_energy += float(powers.sum())
        return True
