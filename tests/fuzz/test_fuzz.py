"""Inputs that no one would write: each gives a result or a typed error, in bounded memory."""

from pathlib import Path

import pytest

from tests.fuzz.fuzzing import TARGETS, Run, fuzz

_INPUTS = {"containers": 600, "manifests": 400, "toml_files": 150, "messages": 400}
_FEW = 100
_SECONDS = 60.0  # for each target at most


def test_odd_inputs_give_results_or_typed_errors(tmp_path: Path) -> None:
    """The corpus, then the same new ones each time; `make fuzz` tries others."""
    runs = [Run(name, 1, _INPUTS.get(name, _FEW), _SECONDS) for name in TARGETS]
    outcome = fuzz(runs, tmp_path)
    if outcome.log:
        pytest.fail(f"failing inputs: {[str(each) for each in outcome.found]}\n{outcome.log}")
    assert outcome.tried >= sum(run.inputs for run in runs)


def test_what_fails_is_found(tmp_path: Path) -> None:
    outcome = fuzz([Run("broken", 1, 1_000, _SECONDS)], tmp_path)
    found = {path.read_bytes() for path in outcome.found}
    assert found == {b"raises", b"greedy", b"crashes"}
    assert "ValueError" in outcome.log
    assert "MemoryError" in outcome.log
