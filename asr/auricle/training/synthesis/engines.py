"""The speech engines: programs of their own, one process for each utterance.

An engine names its speakers and writes the command line that speaks; `speak` runs it. Engines may
take an unknown voice for their default one without a word, so voices come from
`SpeechEngine.voices`.
"""

import itertools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from auricle.config import SAMPLE_RATE
from auricle.training.synthesis.festival import Festival
from auricle.training.synthesis.programs import output, require
from auricle.training.synthesis.voices import Voice
from auricle_types.errors import InvalidOptionError, SynthesisError

SECONDS_SPOKEN = (0.3, 30.0)  # outside of these, an engine has choked on the sentence


class SpeechEngine(Protocol):
    """A program that speaks."""

    name: ClassVar[str]  # also the program's and the Debian package's

    def voices(self) -> list[str]:
        """Its English speakers, in a stable order."""

    def command(self, text: str, voice: Voice, wave: Path) -> list[str]:
        """The command line that speaks `text` into the WAV file `wave`."""


class EspeakNg:
    """Formant synthesis in English accents, each with many variants of the vocal tract."""

    name: ClassVar[str] = "espeak-ng"
    accents: ClassVar[tuple[str, ...]] = (
        *("en-us", "en-us-nyc", "en-029", "en-gb", "en-gb-scotland"),
        *("en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd"),
    )
    # Those that sound like people: no robots, whispers and croaks.
    variants: ClassVar[tuple[str, ...]] = (
        *("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
        *("Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Jacky"),
        *("Lee", "Marco", "Mario", "Michael", "Mike", "adam", "antonio", "aunty", "belinda"),
        *("benjamin", "boris", "david", "ed", "edward", "grandma", "klatt", "klatt2", "klatt3"),
        *("linda", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy"),
        *("rob", "robert", "sandro", "shelby", "steph", "travis", "victor", "zac"),
    )

    def voices(self) -> list[str]:
        """Every accent with every variant."""
        return [f"{a}+{v}" for a, v in itertools.product(self.accents, self.variants)]

    def command(self, text: str, voice: Voice, wave: Path) -> list[str]:
        """A pitch of 50 (of 99) and 160 words a minute stand for 1.0; louder than 60, some clip."""
        pitch, rate = round(50 * voice.pitch), round(160 * voice.rate)
        options = ["-a", "60", "-v", voice.name, "-p", str(pitch), "-s", str(rate)]
        return [self.name, *options, "-w", str(wave), "--", text]


class Flite:
    """Diphone, unit and statistical voices from recordings of real speakers."""

    name: ClassVar[str] = "flite"
    hertz: ClassVar[dict[str, float]] = {"slt": 167.0, "awb": 120.0, "rms": 97.0}
    clocks: ClassVar[tuple[str, ...]] = ("awb_time",)  # can tell the time and nothing else

    def voices(self) -> list[str]:
        """What is built into the program: `Voices available: kal awb ...`."""
        listing = output([self.name, "-lv"]).partition(":")[2].split()
        return sorted(set(listing).difference(self.clocks))

    def command(self, text: str, voice: Voice, wave: Path) -> list[str]:
        """Speakers that are not in `hertz` have about 95 Hz."""
        f0 = self.hertz.get(voice.name, 95.0) * voice.pitch
        features = [f"duration_stretch={1 / voice.rate:.3f}", f"int_f0_target_mean={f0:.1f}"]
        options = itertools.chain.from_iterable(("--setf", feature) for feature in features)
        return [self.name, "-voice", voice.name, *options, "-o", str(wave), "-t", text]


ENGINES: dict[str, SpeechEngine] = {e.name: e for e in (EspeakNg(), Flite(), Festival())}
DEFAULT_ENGINES = ("espeak-ng", "flite")  # as ever, so that folders can be continued


def speakers_of(engines: Iterable[str]) -> dict[str, list[str]]:
    """The speakers of each of the named engines.

    Raises:
        InvalidOptionError: none named, or one that is not in `ENGINES`.
        SynthesizerMissingError: one that is not installed; the message says how to get it.
    """
    names = list(engines)
    unknown = [name for name in names if name not in ENGINES]
    if unknown or not names:
        raise InvalidOptionError(f"engines must be some of {', '.join(ENGINES)}, not {names}")
    for name in names:
        require(name)
    return {name: ENGINES[name].voices() for name in names}


def speak(text: str, voice: Voice) -> NDArray[np.float32]:
    """The waveform `(S,)` at `SAMPLE_RATE` of `voice` saying `text`.

    Raises:
        SynthesizerMissingError: the engine is not installed.
        SynthesisError: it failed, or what it said is no plausible utterance.
    """
    with tempfile.TemporaryDirectory(prefix="auricle-") as folder:
        wave = Path(folder, "speech.wav")
        output(ENGINES[voice.engine].command(text, voice, wave))
        samples = _read(wave)
    shortest, longest = SECONDS_SPOKEN
    if not shortest <= len(samples) / SAMPLE_RATE <= longest or not samples.any():
        raise SynthesisError(f"{voice.speaker} said nothing plausible for {text!r}")
    return samples


def _read(wave: Path) -> NDArray[np.float32]:
    try:
        samples, rate = soundfile.read(wave, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise SynthesisError(f"no readable speech came out: {error}") from error
    resampled: NDArray[np.float32] = soxr.resample(samples, rate, SAMPLE_RATE)
    return resampled
