import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.soak import LENGTHS, ROUNDS, main, tapes


def test_a_smoke_run_has_the_memory_of_every_round(tmp_path: Path) -> None:
    output = tmp_path / "soak.json"
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    rounds = json.loads(output.read_text())["rounds"]
    assert [each["round"] for each in rounds] == list(range(ROUNDS + 1))
    assert all(0 < each["end_mib"] <= each["peak_mib"] for each in rounds)


def test_the_tapes_have_every_length_and_differ() -> None:
    made = tapes(2 * len(LENGTHS))
    assert [len(tape) / 16_000 for tape in made] == [*LENGTHS, *LENGTHS]
    assert len({tape[:16_000].tobytes() for tape in made}) == len(made)
