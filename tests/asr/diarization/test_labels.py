import pytest

from auricle.diarization import Turn, with_speakers
from auricle_types.transcript import Receipt, Segment, Transcript, Word

TURNS = [Turn(0.0, 2.0, "S1"), Turn(3.0, 5.0, "S2")]


def transcript(*segments: Segment) -> Transcript:
    return Transcript(segments, 9.0, Receipt("a model"), warnings=("careful",))


def segment(*words: tuple[float, float, str]) -> Segment:
    timed = tuple(Word(start, end, text, 0.5) for start, end, text in words)
    text = " ".join(word.text for word in timed)
    return Segment(words[0][0], words[-1][1], text, 0.9, timed, language="en")


def test_a_segment_ends_where_the_speaker_changes() -> None:
    whole = transcript(segment((0, 1, "how"), (1, 2, "many"), (3.1, 4, "two"), (4, 5, "three")))
    labelled = with_speakers(whole, TURNS)
    assert [(s.start, s.end, s.text, s.speaker) for s in labelled.segments] == [
        (0, 2, "how many", "S1"),
        (3.1, 5, "two three", "S2"),
    ]
    assert [[word.speaker for word in each.words] for each in labelled.segments] == [
        ["S1", "S1"],
        ["S2", "S2"],
    ]
    assert {(each.confidence, each.language) for each in labelled.segments} == {(0.9, "en")}
    assert labelled.text == whole.text
    assert (labelled.receipt, labelled.warnings) == (whole.receipt, whole.warnings)


def test_a_segment_of_one_speaker_keeps_its_times_and_its_text() -> None:
    one = Segment(-0.5, 2.5, "How, many?", 0.9, segment((0, 1, "how"), (1, 2, "many")).words)
    (labelled,) = with_speakers(transcript(one), TURNS).segments
    assert (labelled.start, labelled.end, labelled.text) == (-0.5, 2.5, "How, many?")
    assert labelled.speaker == "S1"


@pytest.mark.parametrize(
    ("start", "end", "speaker"),
    [(1.0, 3.2, "S1"), (2.0, 2.4, "S1"), (2.6, 2.9, "S2"), (8.0, 9.0, "S2")],
)
def test_a_word_belongs_to_the_turn_that_is_nearest_to_its_middle(
    start: float, end: float, speaker: str
) -> None:
    (labelled,) = with_speakers(transcript(segment((start, end, "word"))), TURNS).segments
    assert labelled.speaker == labelled.words[0].speaker == speaker


@pytest.mark.parametrize(
    ("start", "end", "speaker"),
    [(0.0, 3.5, "S1"), (1.5, 5.0, "S2"), (2.1, 2.3, "S1"), (7.0, 8.0, "S2")],
)
def test_without_words_the_longest_speaker_has_the_segment(
    start: float, end: float, speaker: str
) -> None:
    (labelled,) = with_speakers(transcript(Segment(start, end, "text", 0.9)), TURNS).segments
    assert labelled.speaker == speaker


def test_without_turns_nothing_changes() -> None:
    whole = transcript(segment((0, 1, "how")))
    assert with_speakers(whole, []) == whole


def test_text_without_spaces_stays_without() -> None:
    whole = transcript(segment((0, 1, "你"), (1, 2, "好"), (3, 4, "嗎")))
    assert [each.text for each in with_speakers(whole, TURNS).segments] == ["你好", "嗎"]
