"""The tables of docs/accuracy.md, of figures that are made up here."""

from typing import Any

from benchmarks.accuracy_tables import tables
from benchmarks.scores import score


def a_score(reference: str, hypothesis: str) -> dict[str, Any]:
    return score([reference, "so"], [hypothesis, "so"]).to_dict()


def accuracy_figures() -> dict[str, Any]:
    good, bad = a_score("a b c", "a b c"), a_score("a b c", "a x")
    peer = {
        "scores": {"dev": bad},
        "audio_seconds_per_second": 4.0,
        "dates": ["2030-01-01"],
        "cpus": ["a cpu"],
        "kept": {},
    }
    return {
        "model": {"name": "bundled", "sha256": "0123456789ab", "bytes": 12_300_000},
        "first_utterances_only": None,
        "corpora": {"dev": {"utterances": 2, "minutes": 0.5}},
        "rtfx": {"1 core": 50.0, "2 cores": 90.0},
        "conditions": {"dev": {"clean": good, "telephone": bad}},
        "by_length": {
            "dev": {"0 to 2 s": good, "2 to 5 s": None},
            "other": {"0 to 2 s": None, "2 to 5 s": bad},
        },
        "muted": {"dev": {"clean": {"wordless": 2, "silence": 1}, "telephone": {"wordless": 0}}},
        "long_audio": {"dev": {"joined": bad, "alone": good}},
        "ways": {"float32, greedy": {"dev": bad}},
        "invented": {"hum": 3.0},
        "pocketsphinx": peer,
    }


def rows(figures: dict[str, Any]) -> dict[str, list[str]]:
    lines = [line for part in tables(figures) for line in part.splitlines() if line[:2] == "| "]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {f"{first} {len(rest)}": rest for first, *rest in cells}


def test_rates_stand_with_their_intervals_beside_the_peers() -> None:
    found = rows(accuracy_figures())
    utterances, minutes, words, wer, cer, peer = found["dev 6"]
    assert (utterances, minutes, words) == ("2", "0.5", "4")
    assert wer == cer == "0.0% (0.0% to 0.0%)"
    assert peer.startswith("50.0% (")


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


def test_speed_is_compared_where_there_is_a_peer() -> None:
    text = "\n".join(tables(accuracy_figures()))
    assert "| 2 cores" in text
    assert "22.5" in text
    alone = "\n".join(tables(accuracy_figures() | {"pocketsphinx": None}))
    assert "not installed" in alone
    assert "PocketSphinx was not measured." in alone


def test_a_part_is_called_a_part() -> None:
    first, *_ = tables(accuracy_figures() | {"first_utterances_only": 7})
    assert "the first 7 utterances of each set" in first
    assert "12.3 MB" in first
