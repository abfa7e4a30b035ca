import lzma
from pathlib import Path

import pytest

from auricle.training.synthesis.sentences import read_sentences, say, transcript, weight
from auricle_types.errors import InvalidOptionError


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("We close at seven p m", "We close at seven pee em"),
        ("It's five a.m. already", "It's five ay em already"),
        ("at ten A. M. sharp", "at ten ay em sharp"),
        ("P.M.", "pee em"),
        ("I am here", "I am here"),
        ("a man and a map", "a man and a map"),
        ("pm", "pm"),
        ("a mile", "a mile"),
    ],
)
def test_a_m_and_p_m_are_said_as_letters(written: str, said: str) -> None:
    assert say(written) == said


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Well, I don't know!", "well i don't know"),
        ("  two  spaces ", "two spaces"),
        ("well-known", "well known"),
    ],
)
def test_transcripts_have_letters_apostrophes_and_single_spaces(line: str, text: str) -> None:
    assert transcript(line) == text


def test_modern_lines_weigh_more_and_tom_weighs_less() -> None:
    modern, everyday = weight("hello there", "cv:harvsents"), weight("hello there", "tatoeba")
    assert modern > everyday > weight("hello there", "book:Emma_158")
    assert weight("hello there", "") == weight("hello there", "book:Emma_158")
    assert weight("tom is here", "tatoeba") < everyday
    assert weight("tomorrow is monday", "tatoeba") == everyday


def test_parallel_files_meet_line_by_line(tmp_path: Path) -> None:
    text, twin, sources = tmp_path / "t.txt.xz", tmp_path / "p.txt", tmp_path / "s.txt.xz"
    text.write_bytes(lzma.compress(b"come at two p m\noh really\n"))
    twin.write_text("Come at two p m\nOh, really?\n")
    sources.write_bytes(lzma.compress(b"book:x\ncv:y\n"))
    first, second = read_sentences(text, punctuated=twin, sources=sources)
    assert (first.text, first.spoken) == ("come at two p m", "Come at two pee em")
    assert (second.text, second.spoken) == ("oh really", "Oh, really?")
    assert second.weight > first.weight


def test_a_plain_text_file_is_enough(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("It\u2019s late, isn't it?\n", encoding="utf-8")
    (only,) = read_sentences(text)
    assert (only.text, only.spoken) == ("it's late isn't it", "It's late, isn't it?")


def test_lines_that_the_transcript_would_belie_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = tmp_path / "t.txt"
    text.write_text("all is well\nroom 101\nna\u00efve\n\n...\n", encoding="utf-8")
    assert [sentence.text for sentence in read_sentences(text)] == ["all is well"]
    assert "4 of 5 lines" in caplog.text


def test_files_of_different_length_are_refused(tmp_path: Path) -> None:
    text, twin = tmp_path / "t.txt", tmp_path / "p.txt"
    text.write_text("one\ntwo\n")
    twin.write_text("One.\n")
    with pytest.raises(InvalidOptionError, match=r"p\.txt has 1 lines, .*t\.txt has 2"):
        read_sentences(text, punctuated=twin)


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("broken.txt.xz", b"this is not xz", "cannot be read"),
        ("latin.txt", b"caf\xe9\n", "cannot be read"),
        ("empty.txt", b"", "holds no sentence"),
        ("digits.txt", b"1 2 3\n", "holds no sentence"),
    ],
)
def test_useless_files_are_named(tmp_path: Path, name: str, data: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidOptionError, match=complaint) as caught:
        read_sentences(tmp_path / name)
    assert name in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="absent"):
        read_sentences(tmp_path / "absent.txt")
