"""The tables of docs/accuracy.md, of figures that are made up here."""

from typing import Any

from benchmarks import peer_tables
from benchmarks.accuracy_tables import tables
from benchmarks.peers.real import FASTER_WHISPER, ONE_BY_ONE
from benchmarks.scores import score

COLD = {
    "audio_seconds": 4.7,
    "rounds": 3,
    "seconds": {"auricle transcribe": 2.0, "faster-whisper int8": 1.0},
    "faster_than_peer": 0.5,
}


def a_score(reference: str, hypothesis: str) -> dict[str, Any]:
    return score([reference, "so"], [hypothesis, "so"]).to_dict()


def reader_figures(good: dict[str, Any], bad: dict[str, Any]) -> dict[str, Any]:
    """Ours in two ways, faster-whisper in two, of which the second is the faster one."""
    speeds = {"auricle int8": 60.0, "auricle int8, a process a thread": 90.0}
    speeds |= dict(zip(FASTER_WHISPER, (10.0, 30.0), strict=False))
    return {
        name: {**(good if "auricle" in name else bad), "audio_seconds_per_second": speed}
        for name, speed in speeds.items()
    }


def accuracy_figures() -> dict[str, Any]:
    good, bad = a_score("a b c", "a b c"), a_score("a b c", "a x")
    return {
        "model": {"name": "bundled", "sha256": "0123456789ab", "bytes": 12_300_000},
        "first_utterances_only": None,
        "corpora": {"dev": {"utterances": 2, "minutes": 0.5}},
        "readers": {"dev": reader_figures(good, bad)},
        "clip": COLD | {"seconds": {"auricle int8": 0.1, ONE_BY_ONE: 0.5}},
        "cold": COLD,
        "conditions": {"dev": {"clean": good, "telephone": bad}},
        "by_length": {
            "dev": {"0 to 2 s": good, "2 to 5 s": None},
            "other": {"0 to 2 s": None, "2 to 5 s": bad},
        },
        "muted": {"dev": {"clean": {"wordless": 2, "silence": 1}, "telephone": {"wordless": 0}}},
        "long_audio": {"dev": {"joined": bad, "alone": good}},
        "ways": {"float32, greedy": {"dev": bad}},
        "invented": {"hum": 3.0},
    }


def rows(figures: dict[str, Any]) -> dict[str, list[str]]:
    lines = [line for part in tables(figures) for line in part.splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {f"{first} {len(rest)}": rest for first, *rest in cells}


def test_rates_stand_with_their_intervals() -> None:
    found = rows(accuracy_figures())
    utterances, minutes, words, wer, cer = found["dev 5"]
    assert (utterances, minutes, words) == ("2", "0.5", "4")
    assert wer == cer == "0.0% (0.0% to 0.0%)"


def test_everybody_stands_beside_the_fastest_peer() -> None:
    readers = accuracy_figures()["readers"]
    errors, speeds = peer_tables.errors(readers), peer_tables.speeds(readers)
    assert all(errors.count(f"| {name} ") == 1 for name in readers["dev"])
    last = [cell.strip() for cell in speeds.splitlines()[-1].strip("|").split("|")]
    assert last == ["over the fastest faster-whisper", "3.0"]  # 90 over 30
    _, second, *_ = FASTER_WHISPER
    assert peer_tables.fastest(readers) == f"The fastest faster-whisper: {second} (dev)."


def test_without_peers_there_is_no_ratio() -> None:
    alone = {"dev": {"auricle int8": accuracy_figures()["readers"]["dev"]["auricle int8"]}}
    assert "not installed" in peer_tables.speeds(alone)
    assert peer_tables.fastest(alone) == "faster-whisper was not measured."


def test_single_recordings_have_their_seconds_and_one_ratio_each() -> None:
    (found,) = [part for part in tables(accuracy_figures()) if "One recording" in part]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in found.splitlines()[2:]]
    assert [row[1:] for row in cells] == [
        ["auricle int8", "0.100", "0.5"],
        [ONE_BY_ONE, "0.500", ""],
        ["auricle transcribe", "2.000", "0.5"],
        ["faster-whisper int8", "1.000", ""],
    ]


def test_not_every_set_has_every_length() -> None:
    assert rows(accuracy_figures())["other 2"] == ["", "50.0%"]


def test_what_is_left_out_is_a_share_of_all_words() -> None:
    found = [part for part in tables(accuracy_figures()) if "Left out" in part]
    assert "25.0%" in found[0]
    assert "0.0%" in found[0]


def test_silence_is_told_from_other_reasons_for_no_words() -> None:
    (found,) = [part for part in tables(accuracy_figures()) if "No word heard" in part]
    cells = [cell.strip() for cell in found.splitlines()[-1].strip("|").split("|")]
    assert cells == ["dev", "2 (1)", "0 (0)"]


def test_a_part_is_called_a_part() -> None:
    first, *_ = tables(accuracy_figures() | {"first_utterances_only": 7})
    assert "the first 7 utterances of each set" in first
    assert "12.3 MB" in first
