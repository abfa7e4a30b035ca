"""Lines to spell: words of the manifest letter by letter, and numbers; always the same ones."""

import json
import re
from pathlib import Path

from click.testing import CliRunner

from scripts.spelled_sentences import DIGITS, MONTHS, Speller, main, words_of

WORDS = ["vale", "verona"]


def manifest(folder: Path, *texts: str) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def test_words_are_those_of_the_texts_once_each(tmp_path: Path) -> None:
    path = manifest(tmp_path, "a vale in verona", "the vale", "o'clock extraordinary")
    assert words_of(path) == ["the", "vale", "verona"]


def test_every_kind_comes() -> None:
    speller = Speller(WORDS)
    lines = [speller.line() for _ in range(200)]
    assert {" ".join(word) for word in WORDS} <= set(lines)
    assert any(set(line.split()) <= set(DIGITS) for line in lines)
    assert any(line.split()[0] in MONTHS for line in lines)
    assert any(re.fullmatch(r"([a-z] )+[a-z]{3,}.*", line) for line in lines)
    assert all(re.fullmatch(r"[a-z]+( [a-z]+)+", line) for line in lines)


def test_a_seed_gives_the_same_lines(tmp_path: Path) -> None:
    path = manifest(tmp_path, "vale verona")
    first, again, other = (
        CliRunner().invoke(main, [str(path), "--lines", "20", "--seed", seed]).output
        for seed in ("1", "1", "2")
    )
    assert len(first.splitlines()) == 20
    assert first == again
    assert first != other
