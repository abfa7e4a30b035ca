import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from auricle_types.options import DecodingOptions
from benchmarks import dtypes
from benchmarks.dtypes import DTYPES, RANDOM, Movement, Subject, error_rate, main
from benchmarks.recordings import speech

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("whisper", reason="openai-whisper is not installed")


def test_movements_are_the_largest_the_mean_and_other_choices() -> None:
    movement = Movement()
    expected = torch.tensor([[1.0, 2.0, 0.0], [5.0, 0.0, 0.0]])
    movement.add(expected, expected)
    assert (movement.largest, movement.mean, movement.others) == (0.0, 0.0, 0)
    movement.add(expected, expected + torch.tensor([[1.5, 0.0, 0.0], [-0.5, 0.0, 0.0]]))
    assert movement.largest == 1.5
    assert movement.mean == pytest.approx(2.0 / 12)
    assert (movement.others, movement.positions) == (1, 4)  # 2.5 is above 2.0 now


def test_a_rate_is_over_all_texts_together() -> None:
    assert error_rate(["1 2 3", "4"], ["1 2 3", "4"]) == 0.0
    assert error_rate(["1 2 3", "4"], ["1 3", "4"]) == 0.25


def test_logits_are_those_that_greedy_search_chose_by() -> None:
    """Each token is the likeliest, END included."""
    subject = Subject.load("bundled", "cpu", "float32")
    (samples,) = speech(1)
    (tokens,) = subject.read([samples], DecodingOptions(timestamps=False, guards=False))
    logits = subject.logits(samples, tokens)
    end = subject.checkpoint.model.config.tokens.end
    assert logits.shape == (len(tokens) + 1, subject.checkpoint.tokenizer.vocab_size)
    assert logits.argmax(dim=-1).tolist() == [*tokens, end]


def test_fewer_bits_move_more() -> None:
    samples = speech(1)[0][:16_000].astype(np.float32)
    reference = Subject.load("bundled", "cpu", "float32")
    expected = reference.logits(samples, (5, 6, 7))
    moved = {}
    for dtype in DTYPES:
        movement = Movement()
        subject = reference if dtype == "float32" else Subject.load("bundled", "cpu", dtype)
        movement.add(expected, subject.logits(samples, (5, 6, 7)))
        moved[dtype] = movement.largest
    assert moved["float32"] == 0.0
    assert 0.0 < moved["float16"] < moved["bfloat16"] < 2.0
    assert 0.0 < moved["int8"] < 4.0


@pytest.mark.slow
def test_a_smoke_run_has_a_row_for_each_dtype(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dtypes, "DTYPES", ("float32", "int8"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    output = tmp_path / "dtypes.json"
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    rows = json.loads(output.read_text())["differences"]
    assert [(row["model"], row["dtype"]) for row in rows] == [
        (model, dtype) for model in ("bundled", RANDOM) for dtype in ("float32", "int8")
    ]
    for row in rows[::2]:
        changes = [row[name] for name in ("largest", "mean", "likeliest_unlike", "tokens_unlike")]
        assert changes == [0.0] * 4
    assert all(row["largest"] > row["mean"] > 0 for row in rows[1::2])
    assert [row["wer"] is None for row in rows] == [False, False, True, True]
