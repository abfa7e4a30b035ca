import os
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

from benchmarks import engine, growth, load, server
from benchmarks.command import benchmark_options, use_threads


@pytest.mark.parametrize("module", [engine, server, load, growth])
def test_every_benchmark_has_the_options_and_says_what_it_does(module: object) -> None:
    command: click.Command = module.main  # type: ignore[attr-defined]
    said = CliRunner().invoke(command, ["--help"])
    assert said.exit_code == 0
    assert all(flag in said.output for flag in ("--quick", "--threads", "--output"))
    assert "python -m benchmarks." in " ".join(said.output.split())


def test_options_have_defaults() -> None:
    @click.command()
    @benchmark_options
    def command(quick: bool, threads: int, output: Path | None) -> None:
        click.echo(f"{quick} {threads} {output}")

    assert CliRunner().invoke(command, []).output == "False 2 None\n"
    assert CliRunner().invoke(command, ["--quick", "--threads", "3"]).output == "True 3 None\n"
    assert CliRunner().invoke(command, ["--threads", "0"]).exit_code == 2


def test_threads_are_those_of_this_process_and_its_children() -> None:
    use_threads(3)
    assert torch.get_num_threads() == 3
    assert os.environ["OMP_NUM_THREADS"] == "3"
    use_threads(1)
    assert torch.get_num_threads() == 1
