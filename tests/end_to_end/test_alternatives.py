"""N-best texts, in process and through the wire."""

from pathlib import Path

import pytest

from auricle.recognizer import Recognizer
from auricle_client import Client, RecognitionOptions
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions


def test_a_segment_has_other_texts_the_likeliest_first(
    recognizer: Recognizer, samples: list[Path]
) -> None:
    options = DecodingOptions(beam_size=4, alternatives=3)
    (segment,) = recognizer.transcribe(samples[0], options=options).segments
    one = recognizer.transcribe(samples[0], options=DecodingOptions(beam_size=4))
    assert segment.text == one.text
    texts = [segment.text, *(other.text for other in segment.alternatives)]
    assert 2 <= len(set(texts)) == len(texts) <= 3
    confidences = [segment.confidence, *(other.confidence for other in segment.alternatives)]
    assert all(0 < confidence <= 1 for confidence in confidences)


def test_they_come_through_the_wire(
    recognizer: Recognizer, client: Client, samples: list[Path]
) -> None:
    options = {"beam_size": 4, "alternatives": 3}
    theirs = client.upload(samples[0], RecognitionOptions(**options))  # type: ignore[arg-type]
    ours = recognizer.transcribe(samples[0], options=DecodingOptions(**options))  # type: ignore[arg-type]
    assert [other.text for other in theirs.segments[0].alternatives] == [
        other.text for other in ours.segments[0].alternatives
    ]


def test_the_beam_is_as_wide_as_there_are_alternatives() -> None:
    assert DecodingOptions(alternatives=3) == DecodingOptions(beam_size=3, alternatives=3)
    assert DecodingOptions(alternatives=3, beam_size=5).beam_size == 5
    with pytest.raises(InvalidOptionError, match="temperature"):
        DecodingOptions(alternatives=2, temperature=0.5)
