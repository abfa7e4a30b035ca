import os

import pytest
import torch

from benchmarks.speed import cores


@pytest.mark.parametrize("count", [1, 2])
def test_only_as_many_cores_and_only_for_a_while(count: int) -> None:
    threads, bound = torch.get_num_threads(), os.sched_getaffinity(0)
    with cores(count):
        assert torch.get_num_threads() == count
        assert len(os.sched_getaffinity(0)) <= count
    assert torch.get_num_threads() == threads
    assert os.sched_getaffinity(0) == bound


def test_a_failure_gives_them_back() -> None:
    bound = os.sched_getaffinity(0)
    with pytest.raises(KeyError), cores(1):
        raise KeyError
    assert os.sched_getaffinity(0) == bound
