import json
from pathlib import Path

import pytest

from auricle.evaluation import Utterance, read_manifest
from auricle_types.errors import ManifestError


def write(folder: Path, *lines: str) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def entry(**fields: object) -> str:
    return json.dumps({"audio_filepath": "a.wav", "text": "one"} | fields)


def test_audio_is_relative_to_the_manifest(tmp_path: Path) -> None:
    path = write(tmp_path, entry(audio_filepath="clips/a.wav", duration=2))
    assert read_manifest(path) == [Utterance(tmp_path / "clips" / "a.wav", "one", 2.0)]


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    path = write(tmp_path, entry(audio_filepath="/corpus/a.wav"))
    assert read_manifest(path)[0].audio == Path("/corpus/a.wav")


def test_a_text_may_hold_what_other_formats_take_for_the_end_of_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three"
    line = json.dumps({"audio_filepath": "a.wav", "text": text}, ensure_ascii=False)
    path = write(tmp_path, line + "\r", line)
    assert [utterance.text for utterance in read_manifest(path)] == [text, text]


def test_order_empty_texts_blank_lines_and_foreign_names(tmp_path: Path) -> None:
    lines = [
        entry(text="b", speaker="s1"),
        "",
        "  ",
        entry(text=""),
        entry(text="a", duration=None),
    ]
    utterances = read_manifest(str(write(tmp_path, *lines)))
    assert [utterance.text for utterance in utterances] == ["b", "", "a"]
    assert {utterance.duration for utterance in utterances} == {None}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "a JSON object was expected, not list"),
        ('{"text": "one"}', "audio_filepath is missing"),
        ('{"audio_filepath": "a.wav"}', "text is missing"),
        (entry(audio_filepath=""), "audio_filepath is empty"),
        (entry(audio_filepath="a\0.wav"), "audio_filepath holds a null character"),
        (entry(audio_filepath=3), "audio_filepath must be a string, not int"),
        (entry(text=None), "text must be a string, not NoneType"),
        (entry(offset=-1), "offset must be finite and not negative, not -1"),
        (entry(offset="1"), "offset must be a number, not str"),
        (entry(duration="2"), "duration must be a number, not str"),
        (entry(duration=True), "duration must be a number, not bool"),
        (entry(duration=-1), "duration must be finite and not negative, not -1"),
        (entry(duration=float("nan")), "duration must be finite and not negative, not nan"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, entry(), "", line)
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}:3: {message}")
    assert caught.value.reason == "INVALID_MANIFEST"


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.jsonl: cannot be read"):
        read_manifest(tmp_path / "none.jsonl")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path)


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"RIFF\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(path)


def test_without_utterances(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no utterances"):
        read_manifest(write(tmp_path, "", "\n"))


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    path.write_text(entry(), encoding="utf-8-sig")
    assert [utterance.text for utterance in read_manifest(path)] == ["one"]


def test_an_offset_makes_it_a_part_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, entry(offset=1.5, duration=2), entry(offset=0), entry())
    found = [(each.offset, each.duration) for each in read_manifest(path)]
    assert found == [(1.5, 2.0), (0.0, None), (None, None)]
