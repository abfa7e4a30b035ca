"""What a recogniser says of itself: its engine's statistics, and whether company changes words."""

import pytest

from auricle.engine.statistics import Statistics
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from tests.asr.recognizing import PATIENCE, runner_of
from tests.asr.tiny import SECONDS, sounds, tiny_checkpoint

pytestmark = pytest.mark.usefixtures("all_is_speech")


def test_company_does_not_change_the_tiny_models_tokens() -> None:
    with Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", check_invariance=1.0
    ) as checked:
        options = [DecodingOptions(), DecodingOptions(beam_size=3)] * 3
        pieces = [Piece(0.0, samples) for samples in sounds()]
        for _ in range(2):
            futures = [checked.submit(p, o) for p, o in zip(pieces, options, strict=True)]
            texts = [future.result(PATIENCE).text for future in futures]
        assert len(set(texts)) > 3
        checked._engine.close()
        assert checked._checker is not None
        checked._checker._engine.close()  # the last check has ended
        checks = checked.checks()
    assert checks is not None
    assert checks.checked > 0
    assert checks.different == 0
    assert checks.checked + checks.skipped == 12


def test_the_two_engines_share_their_weights() -> None:
    with Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", check_invariance=0.5
    ) as checked:
        assert checked._checker is not None
        engines = checked._engine, checked._checker._engine
        first, second = (runner_of(engine).model for engine in engines)
        pointers = [{p.data_ptr() for p in model.parameters()} for model in (first, second)]
    assert pointers[0] == pointers[1]


def test_nothing_is_checked_unless_asked() -> None:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        assert recognizer.checks() is None
    with pytest.raises(InvalidOptionError, match="check_invariance"):
        Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu", check_invariance=2.0)


def test_statistics_are_the_engines() -> None:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        assert recognizer.statistics() == Statistics()
        transcript = recognizer.transcribe(sounds()[0])
        statistics = recognizer.statistics()
    assert (statistics.submitted, statistics.finished) == (1, 1)
    assert statistics.tokens == transcript.receipt.tokens
    assert statistics.audio_seconds == pytest.approx(SECONDS[0])
