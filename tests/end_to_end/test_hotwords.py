"""Hotwords with the bundled model: they are found, and they change nothing for others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auricle import DecodingOptions, Hotword, Recognizer
from auricle_client import Client, InvalidOptionError, RecognitionOptions

SAMPLES = Path(__file__).parents[2] / "samples"
SAID = {"librispeech-4640.opus": "thermopylae", "window.wav": "blew", "school.wav": "wood"}
DISTRACTORS = ("Kubernetes", "Alexandria", "new york", "Brindisi")


def lower(text: str) -> list[str]:
    return text.lower().rstrip(".").split()


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("name", SAID)
def test_a_word_that_was_missed_is_found(recognizer: Recognizer, name: str, beam: int) -> None:
    audio = SAMPLES / name
    plain, boosted = (
        recognizer.transcribe(audio, options=DecodingOptions(beam, hotwords=hotwords))
        for hotwords in ((), (Hotword(SAID[name], 3.0), *DISTRACTORS))
    )
    assert SAID[name] in lower(boosted.text)
    assert beam > 1 or SAID[name] not in lower(plain.text)  # a beam finds some by itself
    assert not set(map(str.lower, DISTRACTORS)) & set(lower(boosted.text))


def test_those_without_them_get_the_same_answer_beside_those_with_them(
    recognizer: Recognizer,
) -> None:
    """To the last bit: text and confidences."""
    audios = [SAMPLES / name for name in SAID]
    lists: list[tuple[str, ...]] = [(), ("wood:5", "the:5", "blew:5"), ("history:9", "radio cup")]
    jobs = [(audio, hotwords) for audio in audios for hotwords in lists]

    def ask(job: tuple[Path, tuple[str, ...]]) -> tuple[str, float, int]:
        found = recognizer.transcribe(job[0], options=DecodingOptions(hotwords=job[1]))
        return found.text, found.confidence, found.receipt.batch_size

    alone = {job: ask(job)[:2] for job in jobs}
    with ThreadPoolExecutor(len(jobs)) as pool:
        together = list(pool.map(ask, jobs))
    assert [found[:2] for found in together] == [alone[job] for job in jobs]
    assert max(size for _, _, size in together) > 1
    texts = {alone[audio, hotwords][0] for audio in audios for hotwords in lists}
    assert len(texts) > len(audios)


def test_they_cross_the_wire(client: Client, recognizer: Recognizer) -> None:
    audio, phrases = SAMPLES / "window.wav", ("blew:2", "Kubernetes")
    there = client.recognize(audio, RecognitionOptions(hotwords=phrases))
    here = recognizer.transcribe(audio, options=DecodingOptions(hotwords=phrases))
    assert there.text == here.text
    assert "blew" in there.text
    with client.stream(audio, RecognitionOptions(hotwords=phrases)) as stream:
        assert "blew" in " ".join(segment.text for segment in stream)


def test_what_the_model_cannot_write_is_refused(client: Client) -> None:
    with pytest.raises(InvalidOptionError, match="spell it as it is spoken"):
        client.recognize(SAMPLES / "window.wav", RecognitionOptions(hotwords=("(((",)))
