import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from auricle.config import SAMPLE_RATE
from auricle.training.synthesis import programs
from auricle.training.synthesis.engines import ENGINES, EspeakNg, Flite, speak, speakers_of
from auricle.training.synthesis.festival import Festival
from auricle.training.synthesis.opus import encode_opus
from auricle.training.synthesis.voices import Voice
from auricle_types.errors import InvalidOptionError, SynthesisError, SynthesizerMissingError

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
needs_festival = pytest.mark.skipif(
    shutil.which("festival") is None
    or not {"cmu_us_slt_arctic_hts", "kal_diphone"} <= set(ENGINES["festival"].voices()),
    reason="needs festival and its voices",
)
each_engine = pytest.mark.parametrize(
    ("engine", "name"),
    [
        pytest.param("espeak-ng", "en-us+f2", marks=needs_espeak),
        pytest.param("flite", "slt", marks=needs_flite),
        *(
            pytest.param("festival", voice, marks=needs_festival)
            for voice in ("cmu_us_slt_arctic_hts", "kal_diphone")
        ),
    ],
)
SENTENCE = "The quiet street was empty in the morning."


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, name: str = "flite"
) -> None:
    """Puts a shell script in the place of an engine, alone on the path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@each_engine
def test_speech_is_16_khz_mono_and_the_same_every_time(engine: str, name: str) -> None:
    samples = speak(SENTENCE, Voice(engine, name))
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert 1.5 < len(samples) / SAMPLE_RATE < 5.0
    assert 0.05 < np.abs(samples).max() <= 1.0
    np.testing.assert_array_equal(samples, speak(SENTENCE, Voice(engine, name)))


@each_engine
def test_rate_makes_it_longer_or_shorter(engine: str, name: str) -> None:
    slow, fast = (len(speak(SENTENCE, Voice(engine, name, rate=rate))) for rate in (0.7, 1.2))
    assert slow > 1.3 * fast


@each_engine
def test_pitch_moves_the_fundamental(engine: str, name: str) -> None:
    def fundamental(pitch: float) -> float:
        samples = speak(SENTENCE, Voice(engine, name, pitch=pitch))
        f0 = librosa.yin(samples, fmin=60, fmax=400, sr=SAMPLE_RATE)
        return float(np.median(f0))

    assert fundamental(1.3) > 1.1 * fundamental(0.75)


@each_engine
def test_a_text_that_looks_like_an_option_is_spoken(engine: str, name: str) -> None:
    said = speak("-h is a letter, they said", Voice(engine, name))
    assert len(said) > SAMPLE_RATE


@each_engine
def test_no_temporary_file_stays(
    engine: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    speak(SENTENCE, Voice(engine, name))
    assert list(tmp_path.iterdir()) == []


@needs_espeak
def test_espeak_knows_all_our_accents_and_variants() -> None:
    # asked for a name that it does not know, it speaks by its default one and says nothing
    listing = [
        subprocess.run(
            ["espeak-ng", f"--voices={kind}"], capture_output=True, check=True, text=True
        ).stdout.split()
        for kind in ("en", "variant")
    ]
    assert set(EspeakNg.accents) <= set(listing[0])
    assert {f"!v/{variant}" for variant in EspeakNg.variants} <= set(listing[1])


@needs_espeak
def test_espeak_voices_differ() -> None:
    names = ["en-us+f1", "en-us+m1", "en-gb-scotland+m1", "en-029+m1"]
    assert len({speak(SENTENCE, Voice("espeak-ng", name)).tobytes() for name in names}) == 4


@needs_flite
def test_flite_lists_its_speakers_without_the_clock() -> None:
    voices = Flite().voices()
    assert {"awb", "kal", "rms", "slt"} <= set(voices)
    assert "awb_time" not in voices
    assert voices == sorted(voices)


@needs_festival
def test_festival_s_voices_differ() -> None:
    voices = Festival().voices()
    assert len({speak(SENTENCE, Voice("festival", voice)).tobytes() for voice in voices}) >= 2


@needs_festival
@pytest.mark.parametrize("voice", ["cmu_us_slt_arctic_hts", "kal_diphone"])
def test_festival_is_told_a_text_as_it_is(voice: str) -> None:
    quoted = 'she said "yes" (and then (exit 3)) \\ left'
    assert len(speak(quoted, Voice("festival", voice))) > SAMPLE_RATE


def test_festival_s_pitch_and_rate_are_in_its_commands() -> None:
    voice = Voice("festival", "kal_diphone", pitch=1.2, rate=0.8)
    command = " ".join(Festival().command("so", voice, Path("a.wav")))
    for part in ("(voice_kal_diphone)", "mean 126.0", "'Duration_Stretch 1.250", '"a.wav" \'riff'):
        assert part in command
    hts = Voice("festival", "cmu_us_slt_arctic_hts", pitch=1.2, rate=0.9)
    command = " ".join(Festival().command("so", hts, Path("a.wav")))
    for part in ('(list "-r" 0.750)', "'short 38400)"):
        assert part in command


def test_festival_has_the_voices_that_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "echo '(ked_diphone italian kal_diphone)'", "festival")
    assert Festival().voices() == ["kal_diphone", "ked_diphone"]
    install(tmp_path, monkeypatch, "echo '(italian)'", "festival")
    with pytest.raises(SynthesizerMissingError, match="apt-get install festvox-us-slt-hts"):
        speakers_of(["festival"])


def test_a_missing_engine_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ENGINES:
        with pytest.raises(SynthesizerMissingError, match=f"apt-get install {name}"):
            speakers_of([name])
        with pytest.raises(SynthesizerMissingError, match=f"apt-get install {name}"):
            speak(SENTENCE, Voice(name, "any"))


@pytest.mark.parametrize("names", [[], ["pico"], ["flite", "pico"]])
def test_only_known_engines_can_be_asked_for(names: list[str]) -> None:
    with pytest.raises(InvalidOptionError, match="espeak-ng, flite, festival"):
        speakers_of(names)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo out of breath >&2; exit 3", r"flite failed \(3\): out of breath"),
        ("exit 0", "no readable speech"),
        ("exec sleep 60", r"flite took over 0\.2 s"),
    ],
)
def test_an_engine_that_fails_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, complaint: str
) -> None:
    install(tmp_path, monkeypatch, script)
    monkeypatch.setattr(programs, "TIMEOUT", 0.2 if "sleep" in script else 60.0)
    with pytest.raises(SynthesisError, match=complaint):
        speak(SENTENCE, Voice("flite", "slt"))


@pytest.mark.parametrize(
    ("seconds", "level"), [(2.0, 0.0), (0.1, 0.5), (31.0, 0.5)], ids=["silent", "short", "long"]
)
def test_an_implausible_utterance_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, level: float
) -> None:
    said = tmp_path / "said.wav"
    soundfile.write(said, np.full(round(seconds * 8000), level), 8000)
    # what `flite ... -o FILE -t TEXT` would do
    install(tmp_path, monkeypatch, f'while [ "$1" != -o ]; do shift; done; cp {said} "$2"')
    with pytest.raises(SynthesisError, match="nothing plausible"):
        speak(SENTENCE, Voice("flite", "slt"))


@pytest.mark.parametrize("samples", [4800, 4801, 13_601, 15_896, 16_000, 16_111])
def test_opus_of_any_length_can_be_read_by_soundfile(samples: int) -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.1, samples).astype(np.float32)
    decoded, _ = soundfile.read(io.BytesIO(encode_opus(noise)))
    assert len(decoded) == samples


def test_opus_keeps_the_length_the_sound_and_the_bytes(tmp_path: Path) -> None:
    time = np.arange(20_001) / SAMPLE_RATE
    samples = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    file = tmp_path / "tone.opus"
    file.write_bytes(encode_opus(samples))
    decoded, rate = soundfile.read(file)
    assert (rate, decoded.shape) == (SAMPLE_RATE, samples.shape)
    np.testing.assert_allclose(decoded[2000:18_000], samples[2000:18_000], atol=0.05)
    assert encode_opus(samples) == file.read_bytes()
