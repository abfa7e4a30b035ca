import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from auricle_types.options import DecodingOptions
from benchmarks import hotwords
from benchmarks.hotwords import Score, Speech, best, main, rare_words, score

PLAIN = Score(1, None, 9, 10, 4, 0, 0.05, 0.1)


def test_rare_words_are_long_unknown_and_in_few_texts() -> None:
    texts = ["kafka met gregor", "kafka and gregor", "kafka and otto", "sarajevo sarajevo"]
    assert rare_words(texts, Counter(["gregor"])) == ["sarajevo"]
    assert rare_words(texts, Counter()) == ["gregor", "sarajevo"]


def test_a_score_counts_what_was_said_found_and_invented() -> None:
    silence = np.zeros(1, np.float32)
    speech = [Speech(silence, "otto met kafka"), Speech(silence, "a cup of tea")]
    texts = ["otto met kaftan", "a cup of kafka"]
    options = DecodingOptions(hotwords=("kafka:2",))
    found = score(speech, texts, frozenset(["kafka", "otto"]), options)
    assert found == Score(1, 2.0, 2, 2, 1, 1, 0.25, 0.33333)


def test_the_best_weight_finds_most_and_does_no_harm() -> None:
    one, two, three = (
        replace(PLAIN, weight=weight, found=found, wer_without=rate)
        for weight, found, rate in ((1.0, 6, 0.05), (2.0, 7, 0.052), (3.0, 9, 0.0521))
    )
    assert best([PLAIN, one, two, three]) is two
    assert best([PLAIN, three]) is three  # the first, where all do harm


@pytest.mark.slow
def test_a_smoke_run_has_two_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotwords, "LETTERS", 3)
    output = tmp_path / "hotwords.json"
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    result = json.loads(output.read_text())
    assert result["weight"] == 1.0
    assert [row["weight"] for row in result["tuned"]] == [None, 1.0]
    assert [row["hotwords"] > 0 for row in result["scores"]] == [True, True]
