"""Benchmarks choose the threads of the whole process; the tests after them keep theirs."""

import os
from collections.abc import Iterator

import pytest
import torch

THREADS = "OMP_NUM_THREADS"


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before, variable = torch.get_num_threads(), os.environ.get(THREADS)
    yield
    torch.set_num_threads(before)
    os.environ.pop(THREADS, None)
    if variable is not None:
        os.environ[THREADS] = variable
