"""Festival: two diphone voices and one of hidden Markov models, in Debian's main archive."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from auricle.training.synthesis.programs import output
from auricle.training.synthesis.voices import Voice
from auricle_types.errors import SynthesizerMissingError

HERTZ = 105.0  # of both diphone voices, and 14 to either side
HTS_RATE = 32_000  # samples a second of the HTS voice


class Festival:
    """The University of Edinburgh's synthesiser; each voice is a package of its own.

    The HTS voice knows no pitch, so its samples are declared to be of another rate, which moves
    the formants along as in a shorter or longer throat; the tempo is kept.
    """

    name: ClassVar[str] = "festival"
    packages: ClassVar[dict[str, str]] = {
        "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
        "kal_diphone": "festvox-kallpc16k",
        "ked_diphone": "festvox-kdlpc16k",
    }

    def voices(self) -> list[str]:
        """Those of `packages` that are installed. Raises SynthesizerMissingError without any."""
        listed = set(output([self.name, "-b", "(print (voice.list))"]).strip("()\n ").split())
        voices = [voice for voice in self.packages if voice in listed]
        if not voices:
            raise SynthesizerMissingError(
                f"festival has no voice: `apt-get install {' '.join(self.packages.values())}`"
            )
        return voices

    def command(self, text: str, voice: Voice, wave: Path) -> list[str]:
        """Scheme expressions, one an argument."""
        speak = _hts if voice.name.endswith("_hts") else _diphone
        return [self.name, "-b", f"(voice_{voice.name})", *speak(text, voice, wave)]


def _diphone(text: str, voice: Voice, wave: Path) -> Iterator[str]:
    f0 = f"(target_f0_mean {HERTZ * voice.pitch:.1f}) (target_f0_std {14 * voice.pitch:.1f})"
    yield f"(set! int_lr_params '({f0} (model_f0_mean 170) (model_f0_std 34)))"
    yield f"(Parameter.set 'Duration_Stretch {1 / voice.rate:.3f})"
    yield f"(set! utt (SynthText {_quoted(text)}))"
    yield f"(utt.save.wave utt {_quoted(str(wave))} 'riff)"


def _hts(text: str, voice: Voice, wave: Path) -> Iterator[str]:
    raw, rate = _quoted(f"{wave}.raw"), round(HTS_RATE * voice.pitch)
    tempo = f'(list "-r" {voice.rate / voice.pitch:.3f})'
    yield f"(set! hts_engine_params (append hts_engine_params (list {tempo})))"
    yield f"(set! utt (SynthText {_quoted(text)}))"
    yield f"(wave.save (utt.wave utt) {raw} 'raw)"
    yield f"(wave.save (wave.load {raw} 'raw 'short {rate}) {_quoted(str(wave))} 'riff)"


def _quoted(text: str) -> str:
    """A string of Scheme."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
