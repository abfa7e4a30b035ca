import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.long_recordings import QUICK_HOURS, main


@pytest.mark.slow
def test_a_smoke_run_has_the_memory_of_every_recording(tmp_path: Path) -> None:
    output = tmp_path / "long.json"
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    recordings = json.loads(output.read_text())["recordings"]
    assert [each["hours"] for each in recordings] == list(QUICK_HOURS)
    for each in recordings:
        assert each["segments"] > 0
        assert 0 < each["readings"][0]["mib"] <= each["peak_mib"]
        hours = [reading["hours"] for reading in each["readings"]]
        assert hours == sorted(hours)
