import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from auricle.evaluation import ErrorCounts, RecognizedText, Report, Utterance, evaluate, score

UTTERANCES = [
    Utterance(Path("one.wav"), "The cat sat."),
    Utterance(Path("letter.wav"), "A"),
    Utterance(Path("silence.wav"), ""),
    Utterance(Path("broken.wav"), "two words"),
]
HYPOTHESES = [
    RecognizedText("the bat sat", 2.0),
    RecognizedText("a", 1.0),
    RecognizedText("thank you", 3.0),
    RecognizedText(error="not audio"),
]


@pytest.fixture
def report() -> Report:
    return score(UTTERANCES, HYPOTHESES, wall_seconds=1.5)


def test_totals(report: Report) -> None:
    assert report.words == ErrorCounts(hits=3, substitutions=1, deletions=2, insertions=2)
    assert report.words.rate == pytest.approx(5 / 6)
    # one letter, nine invented characters with their space, nine deleted ones
    assert report.chars == ErrorCounts(hits=11, substitutions=1, deletions=9, insertions=9)


def test_speed_counts_only_recognised_audio(report: Report) -> None:
    assert report.audio_seconds == 6.0
    assert report.rtfx == pytest.approx(4.0)
    assert Report((), 1.0, 0.0).rtfx == 0.0


def test_failures_are_reported_and_are_all_deletions(report: Report) -> None:
    (failed,) = report.failed
    assert (failed.audio, failed.error) == ("broken.wav", "not audio")
    assert failed.words == ErrorCounts(deletions=2)


def test_worst_have_most_errors_first(report: Report) -> None:
    assert [each.audio for each in report.worst(9)] == ["silence.wav", "one.wav"]
    assert [each.audio for each in report.worst(1)] == ["silence.wav"]
    assert report.worst(0) == []


def test_plain_values(report: Report) -> None:
    values = json.loads(json.dumps(report.to_dict(worst=2)))
    assert values["wer"] == pytest.approx(5 / 6)
    assert values["cer"] == pytest.approx(19 / 21)
    counts = ("substitutions", "deletions", "insertions", "words", "utterances")
    assert [values[name] for name in counts] == [1, 2, 2, 6, 4]
    assert values["rtfx"] == pytest.approx(4.0)
    assert values["failed"] == [{"audio": "broken.wav", "error": "not audio"}]
    assert values["worst"][1] == {
        "audio": "one.wav",
        "wer": pytest.approx(1 / 3),
        "reference": "the cat sat",
        "hypothesis": "the bat sat",
        "alignment": ["REF: the cat sat", "HYP: the bat sat", "           S"],
    }


def test_text(report: Report) -> None:
    assert report.to_text(worst=1).splitlines() == [
        "WER 83.33%  CER 90.48%",
        "1 substitutions, 2 deletions, 2 insertions in 6 words of 4 utterances, 1 failed",
        "RTFx 4.0 (6.0 s of audio in 1.5 s)",
        "",
        "silence.wav  WER 200%",
        "REF: ***** ***",
        "HYP: thank you",
        "         I   I",
    ]


def test_without_errors_there_is_no_worst() -> None:
    report = score(UTTERANCES[:1], [RecognizedText("THE CAT SAT", 1.0)], 1.0)
    assert report.words.rate == 0.0
    assert len(report.to_text(worst=5).splitlines()) == 3


def test_evaluate_recognises_in_order() -> None:
    seen: list[Utterance] = []

    def recognize(utterances: Sequence[Utterance]) -> Iterator[RecognizedText]:
        seen.extend(utterances)
        yield from HYPOTHESES

    report = evaluate(UTTERANCES, recognize)
    assert seen == list(UTTERANCES)
    assert [each.audio for each in report.scored] == [str(each.audio) for each in seen]
    assert report.wall_seconds > 0


def test_missing_answers_are_no_result() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evaluate(UTTERANCES, lambda utterances: HYPOTHESES[:2])
