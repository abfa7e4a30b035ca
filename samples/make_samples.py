"""Speaks the synthetic samples again: `python samples/make_samples.py [FOLDER]`.

Needs espeak-ng and flite. The sentences were written for this purpose and are in no training text.
The manifest lists the recordings of people, too.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import soundfile

from auricle.config import SAMPLE_RATE
from auricle.training.synthesis.engines import speak
from auricle.training.synthesis.voices import Voice

SAMPLES: Mapping[str, tuple[Voice, str]] = {
    "bakery": (
        Voice("flite", "slt", rate=0.9),
        "The little bakery on the corner opens early, and the bread is still warm.",
    ),
    "garden": (
        Voice("flite", "rms", rate=0.9),
        "We planted seven apple trees behind the house before the winter came.",
    ),
    "harbor": (
        Voice("flite", "awb", rate=0.9),
        "Three old boats came back to the harbor with hardly any fish.",
    ),
    "kitchen": (
        Voice("flite", "kal16", rate=0.9),
        "Please leave the blue cups on the kitchen table when you are done.",
    ),
    "letter": (
        Voice("espeak-ng", "en-us+f3", rate=0.9),
        "My sister wrote a long letter about the dog she found near the river.",
    ),
    "market": (
        Voice("espeak-ng", "en-gb+m3", rate=0.9),
        "The market was so full on Friday that I bought nothing but a bag of salt.",
    ),
    "school": (
        Voice("espeak-ng", "en-us+m7", rate=0.9),
        "Two boys from my school built a small radio out of wood and wire.",
    ),
    "window": (
        Voice("espeak-ng", "en-gb-x-rp+f2", rate=0.9),
        "A cold wind came through the window and blew her papers across the room.",
    ),
}

RECORDED: Mapping[str, str] = {
    "librispeech-1088": "closed the door carefully and returned to the house",
    "librispeech-226": (
        "an hour after she had read it she was driving down the long straight road to cairo"
        " embarked at alexandria the next day landed at brindisi"
    ),
    "librispeech-4640": "which one beholds in the depths of history hovering over thermopylae",
}
HERE = Path(__file__).parent


def make_samples(folder: Path) -> None:
    """Writes the recordings, 16-bit WAV at `SAMPLE_RATE`, and their manifest into `folder`."""
    lines = []
    for name, (voice, sentence) in SAMPLES.items():
        samples = speak(sentence, voice)
        soundfile.write(folder / f"{name}.wav", samples, SAMPLE_RATE, subtype="PCM_16")
        lines.append(manifest_line(f"{name}.wav", sentence, len(samples) / SAMPLE_RATE))
    for name, text in RECORDED.items():
        seconds = soundfile.info(HERE / f"{name}.opus").duration
        lines.append(manifest_line(f"{name}.opus", text, seconds))
    (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")


def manifest_line(name: str, sentence: str, duration: float) -> str:
    """A line of the manifest; `duration` in seconds."""
    text = sentence.lower().translate(str.maketrans("", "", ",."))
    entry = {"audio_filepath": name, "text": text, "duration": round(duration, 3)}
    return json.dumps(entry) + "\n"


if __name__ == "__main__":
    make_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
