"""A recogniser whose engines have processes of their own: the same words, whatever befalls them."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from auricle.engine.processes.pool import EnginePool
from auricle.engine.processes.remote import RemoteEngine
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import AuricleError, CorruptCheckpointError, InvalidOptionError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.recognizing import PATIENCE, content
from tests.asr.tiny import sounds, tiny_checkpoint, write_tiny_checkpoint

pytestmark = pytest.mark.usefixtures("all_is_speech", "quick_processes")

OPTIONS = (
    DecodingOptions(),
    DecodingOptions(beam_size=3),
    DecodingOptions(word_timestamps=True),
    DecodingOptions(temperature=0.7, seed=3),
)
TWO = EngineConfig(processes=2)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def recognizer(path: Path) -> Iterator[Recognizer]:
    with Recognizer.from_pretrained(
        path, device="cpu", dtype="float32", engine=TWO, check_invariance=1.0
    ) as recognizer:
        yield recognizer


def engines(recognizer: Recognizer) -> list[RemoteEngine]:
    assert isinstance(recognizer._engine, EnginePool)
    members = [member.engine for member in recognizer._engine._members]
    return [engine for engine in members if isinstance(engine, RemoteEngine)]


def test_it_says_the_same_as_one_in_this_process(recognizer: Recognizer) -> None:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", dtype="float32") as here:
        assert (recognizer.model_id, recognizer.config) == (here.model_id, here.config)
        assert (recognizer.device, recognizer.dtype) == (here.device, here.dtype)
        for options in OPTIONS:
            expected = here.transcribe(list(sounds()), options=options)
            found = recognizer.transcribe(list(sounds()), options=options)
            assert [content(each) for each in found] == [content(each) for each in expected]
            assert len({each.text for each in found}) == len(sounds())


def test_both_take_part_and_are_counted_together(recognizer: Recognizer) -> None:
    before = [engine.statistics().finished for engine in engines(recognizer)]
    total = recognizer.statistics().finished
    futures = [recognizer.submit(Piece(0.0, samples)) for samples in sounds()]
    assert all(future.result(PATIENCE).text for future in futures)
    after = [engine.statistics().finished for engine in engines(recognizer)]
    assert all(now > then for now, then in zip(after, before, strict=True))
    assert recognizer.statistics().finished == total + len(sounds())


def test_company_is_checked_in_a_process_of_its_own(recognizer: Recognizer) -> None:
    recognizer.transcribe(list(sounds()))
    end = time.monotonic() + PATIENCE
    while (checks := recognizer.checks()) is None or not checks.checked:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert checks.different == 0


def test_a_killed_process_is_replaced(recognizer: Recognizer) -> None:
    expected = recognizer.transcribe(sounds()[0]).text
    killed, _ = engines(recognizer)
    killed._process.kill()
    end = time.monotonic() + PATIENCE
    while killed in engines(recognizer):
        assert time.monotonic() < end
        time.sleep(0.05)
        with suppress(AuricleError):  # it had just been given to the one that was killed
            assert recognizer.transcribe(sounds()[0]).text == expected
    assert len(engines(recognizer)) == 2
    assert [each.text for each in recognizer.transcribe([sounds()[0]] * 4)] == [expected] * 4


def test_a_model_that_is_here_cannot_be_elsewhere() -> None:
    with pytest.raises(InvalidOptionError, match="from_pretrained"):
        Recognizer.from_checkpoint(tiny_checkpoint(), engine=TWO)
    with pytest.raises(InvalidOptionError, match="processes"):
        EngineConfig(processes=0)


def test_what_cannot_be_loaded_has_its_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"broken")
    with pytest.raises(CorruptCheckpointError, match=r"broken\.safetensors"):
        Recognizer.from_pretrained(broken, engine=TWO)
