import json
from pathlib import Path

import pytest

from auricle_cli.connection import Connection
from auricle_cli.failure import Failure
from auricle_cli.recognition import RecognitionSetup
from auricle_types.options import DecodingOptions, EngineConfig, LoadingOptions, PcmFormat
from tests.cli.conftest import Auricle, Opened


def test_one_file_is_its_words_alone(auricle: Auricle, opened: Opened, clips: Path) -> None:
    result = auricle("transcribe", str(clips / "b.wav"))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the cat\n", "")
    assert opened.transcriber.closed


def test_several_come_in_order_after_their_names(
    auricle: Auricle, opened: Opened, clips: Path
) -> None:
    first, second = clips / "deep" / "a.FLAC", clips / "b.wav"
    result = auricle("transcribe", str(first), str(second))
    assert result.stdout == f"{first}\tsat\n{second}\tthe cat\n"


def test_a_folder_stands_for_its_audio(auricle: Auricle, opened: Opened, clips: Path) -> None:
    result = auricle("transcribe", str(clips))
    assert result.stdout == f"{clips}/b.wav\tthe cat\n{clips}/deep/a.FLAC\tsat\n"


def test_standard_input(auricle: Auricle, opened: Opened) -> None:
    assert auricle("transcribe", "-", input="from a pipe").stdout == "from a pipe\n"


def test_json_is_one_object_a_line(auricle: Auricle, opened: Opened, clips: Path) -> None:
    result = auricle("transcribe", "--format", "json", str(clips))
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["text"] for answer in answers] == ["the cat", "sat"]
    assert answers[0]["audio"] == f"{clips}/b.wav"
    assert answers[0]["segments"][1] == {
        "start": 1.0,
        "end": 2.0,
        "text": "cat",
        "confidence": 0.5,
    }


@pytest.mark.parametrize(
    ("output_format", "output"),
    [
        ("srt", "1\n00:00:00,000 --> 00:00:01,000\nsat\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsat\n"),
    ],
)
def test_subtitles(
    auricle: Auricle, opened: Opened, clips: Path, output_format: str, output: str
) -> None:
    one = str(clips / "deep" / "a.FLAC")
    assert auricle("transcribe", "--format", output_format, one).stdout == output
    several = auricle("transcribe", "--format", output_format, str(clips))
    assert several.exit_code == 2
    assert "holds one recording" in several.stderr


# --- failures ----------------------------------------------------------------------------------


def test_some_failed_is_one(auricle: Auricle, opened: Opened, clips: Path) -> None:
    (clips / "a.wav").write_text("broken")
    result = auricle("transcribe", str(clips))
    assert result.exit_code == 1
    assert result.stdout == f"{clips}/b.wav\tthe cat\n{clips}/deep/a.FLAC\tsat\n"
    assert result.stderr == f"auricle: {clips}/a.wav: not audio\n"


def test_all_failed_is_two(auricle: Auricle, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("broken")
    result = auricle("transcribe", "a.wav")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "auricle: a.wav: not audio\n"


def test_missing_files(auricle: Auricle, opened: Opened, clips: Path) -> None:
    some = auricle("transcribe", "none.wav", str(clips / "b.wav"))
    assert (some.exit_code, some.stdout) == (1, f"{clips}/b.wav\tthe cat\n")
    assert some.stderr == "auricle: none.wav: no such file\n"
    assert auricle("transcribe", "none.wav").exit_code == 2


def test_nothing_to_do_opens_nothing(auricle: Auricle, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = auricle("transcribe", "empty")
    assert (result.exit_code, result.stderr) == (
        2,
        "auricle: empty: no audio files in this folder\n",
    )
    assert opened.recognition is None


def test_warnings_go_beside_the_words(auricle: Auricle, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "cut.wav").write_text("truncated")
    result = auricle("transcribe", "cut.wav")
    assert (result.exit_code, result.stdout) == (0, "truncated\n")
    assert result.stderr == "auricle: cut.wav: warning: the file is truncated\n"


def test_a_failure_to_open_is_two(
    auricle: Auricle, monkeypatch: pytest.MonkeyPatch, clips: Path
) -> None:
    def fail(_: RecognitionSetup) -> None:
        raise Failure("no such model")

    monkeypatch.setattr(RecognitionSetup, "open", fail)
    result = auricle("transcribe", str(clips))
    assert (result.exit_code, result.stderr) == (2, "auricle: no such model\n")


# --- streams -----------------------------------------------------------------------------------


@pytest.mark.parametrize("output_format", ["txt", "json"])
def test_a_stream_ends_up_as_the_whole(
    auricle: Auricle, opened: Opened, clips: Path, output_format: str
) -> None:
    arguments = ["transcribe", "--format", output_format, str(clips)]
    assert auricle(*arguments, "--stream").stdout == auricle(*arguments).stdout


def test_a_silent_stream_is_an_empty_line(
    auricle: Auricle, opened: Opened, clips: Path, tmp_path: Path
) -> None:
    (clips / "a.wav").write_text("")
    result = auricle("transcribe", "--stream", str(clips))
    assert result.stdout.startswith(f"{clips}/a.wav\t\n{clips}/b.wav\tthe cat\n")


def test_a_stream_may_fail(auricle: Auricle, opened: Opened, clips: Path) -> None:
    (clips / "a.wav").write_text("broken")
    result = auricle("transcribe", "--stream", str(clips))
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{clips}/b.wav\tthe cat\n")
    assert result.stderr == f"auricle: {clips}/a.wav: not audio\n"


# --- options -----------------------------------------------------------------------------------


def test_options_reach_the_recognition(auricle: Auricle, opened: Opened, clips: Path) -> None:
    flags = "--server host:1 --model m --beam 4 --max-tokens 9 --concurrency 2".split()
    auricle("transcribe", *flags, str(clips))
    assert opened.recognition == RecognitionSetup(
        Connection("host:1"),
        LoadingOptions(model="m"),
        decoding=DecodingOptions(beam_size=4, max_tokens=9),
        concurrency=2,
    )
    auricle("transcribe", *"--exact --temperature 0.5 --seed 7".split(), str(clips))
    assert opened.recognition == RecognitionSetup(
        engine=EngineConfig(exact=True), decoding=DecodingOptions(temperature=0.5, seed=7)
    )
    auricle("transcribe", *"--lm m.lm".split(), str(clips))
    assert opened.recognition == RecognitionSetup(loading=LoadingOptions(lm=Path("m.lm")))
    auricle("transcribe", *"--server h:1 --tls --ca-certificate c".split(), str(clips))
    connection = Connection(server="h:1", tls=True, ca_certificate=Path("c"))
    assert opened.recognition == RecognitionSetup(connection)


def test_words_have_times_in_json_alone(auricle: Auricle, opened: Opened, clips: Path) -> None:
    auricle("transcribe", "--word-timestamps", "--format", "json", str(clips))
    assert opened.recognition == RecognitionSetup(decoding=DecodingOptions(word_timestamps=True))
    for kind in ("txt", "srt", "vtt"):
        result = auricle("transcribe", "--word-timestamps", "--format", kind, str(clips))
        assert result.exit_code == 2
        assert "add --format json" in result.stderr


def test_headerless_audio(auricle: Auricle, opened: Opened, clips: Path) -> None:
    auricle("transcribe", "--sample-rate", "8000", str(clips))
    assert opened.recognition is not None
    assert opened.recognition.pcm == PcmFormat(8000)
    flags = "--sample-rate 8000 --encoding mulaw --channels 2".split()
    auricle("transcribe", *flags, str(clips))
    assert opened.recognition.pcm == PcmFormat(8000, 2, "mulaw")
    assert RecognitionSetup().pcm is None


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--encoding mulaw", "needs a --sample-rate"),
        ("--channels 2", "needs a --sample-rate"),
        ("--server h:1 --device cpu", "the server's choice"),
        ("--server h:1 --dtype float32", "the server's choice"),
        ("--server h:1 --exact", "the server's choice"),
        ("--server h:1 --processes 2", "the server's choice"),
        ("--temperature 0.5 --beam 2", "only beam_size 1 samples"),
        ("--temperature -1", "'--temperature'"),
        ("--seed -1", "'--seed'"),
        ("--ctc-weight 1.5", "'--ctc-weight'"),
        ("--beam 0", "'--beam'"),
        ("--max-tokens 0", "'--max-tokens'"),
        ("--encoding mp3", "'--encoding'"),
        ("--format pdf", "'--format'"),
        ("--sample-rate 0", "'--sample-rate'"),
        ("--nonsense", "No such option"),
    ],
)
def test_wrong_usage_is_two(
    auricle: Auricle, opened: Opened, clips: Path, flags: str, message: str
) -> None:
    result = auricle("transcribe", *flags.split(), str(clips))
    assert result.exit_code == 2
    assert message in result.stderr
    assert opened.recognition is None


def test_files_are_required(auricle: Auricle) -> None:
    assert auricle("transcribe").exit_code == 2
