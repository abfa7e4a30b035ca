"""The options that all benchmarks share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import torch

Command = TypeVar("Command", bound=Callable[..., Any])


def benchmark_options(command: Command) -> Command:
    """--quick, --threads and --output."""
    options = [
        click.option("--quick", is_flag=True, help="A smoke run: tiny sizes, nothing to claim."),
        click.option("--threads", type=click.IntRange(1), default=2, help="Of each contestant."),
        click.option(
            "--output",
            type=click.Path(dir_okay=False, path_type=Path),
            show_default="benchmarks/results/NAME.json, none for --quick",
            help="Where the result goes.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def use_threads(threads: int) -> None:
    """Compute with as many threads, here and in the processes that are started from here."""
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
