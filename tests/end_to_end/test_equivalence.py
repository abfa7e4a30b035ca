"""However the audio comes, and whoever comes with it, the words are the same."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auricle import DecodingOptions, Recognizer
from auricle.audio import iter_audio
from auricle_client import Client, RecognitionOptions
from auricle_types.events import FinalTranscript


@pytest.fixture(scope="module")
def alone(recognizer: Recognizer, samples: list[Path]) -> dict[Path, str]:
    """What each sample gives when nobody else is there."""
    texts = {sample: recognizer.transcribe(sample).text for sample in samples}
    assert len(set(texts.values())) == len(samples), "the words must depend on the audio"
    return texts


def test_a_batch_changes_nothing(
    recognizer: Recognizer, samples: list[Path], alone: dict[Path, str]
) -> None:
    transcripts = recognizer.transcribe(samples * 2)
    assert [t.text for t in transcripts] == [alone[sample] for sample in samples * 2]
    assert max(t.receipt.batch_size for t in transcripts) > 1


def test_client_and_server_change_nothing(client: Client, alone: dict[Path, str]) -> None:
    for sample, text in alone.items():
        assert client.recognize(sample).text == text
        assert client.upload(sample, chunk_bytes=777).text == text


def test_sixteen_clients_get_what_one_gets(address: str, alone: dict[Path, str]) -> None:
    samples = (list(alone) * 6)[:16]

    def ask(sample: Path) -> str:
        with Client(address) as client:
            return client.upload(sample).text

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, samples)) == [alone[sample] for sample in samples]


def test_a_stream_through_the_wire_is_the_stream_in_process(
    client: Client, recognizer: Recognizer, samples: list[Path]
) -> None:
    for sample in samples:
        with sample.open("rb") as file:
            *_, last = recognizer.stream(iter_audio(file))
        assert isinstance(last, FinalTranscript)
        with client.stream(sample, chunk_bytes=1_001) as stream:
            texts = [segment.text for segment in stream]
        assert texts == [segment.text for segment in last.transcript.segments]
        assert stream.transcript.text == " ".join(texts)


def test_beams_of_several_sizes_share_a_server(
    address: str, recognizer: Recognizer, samples: list[Path]
) -> None:
    sizes = [1, 2, 4]

    def ask(job: tuple[Path, int]) -> str:
        with Client(address) as client:
            return client.recognize(job[0], RecognitionOptions(beam_size=job[1])).text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(ask, zip(samples, sizes, strict=True)))
    expected = [
        recognizer.transcribe(sample, options=DecodingOptions(beam_size=size)).text
        for sample, size in zip(samples, sizes, strict=True)
    ]
    assert texts == expected


def test_the_receipt_adds_up(client: Client, samples: list[Path]) -> None:
    receipt = client.recognize(samples[0]).receipt
    assert receipt.model_id
    assert receipt.batch_size >= 1
    assert receipt.encode_seconds > 0
    assert receipt.decode_seconds > 0
    assert 0 <= receipt.padding_ratio < 1
    assert receipt.tokens > 0
