"""The largest numbers of a row: what topk finds, whatever the row's length."""

import math

import pytest
import torch

from auricle.decoding.largest import largest


@pytest.mark.parametrize("size", [5, 64, 96, 500, 4_103, 51_865])
@pytest.mark.parametrize("count", [1, 2, 7, 14])
def test_they_are_topk_s(size: int, count: int) -> None:
    x = torch.randn(5, size, generator=torch.Generator().manual_seed(size))
    wanted = x.topk(min(count, size), dim=-1)
    found = largest(x, count)
    assert torch.equal(found, wanted.indices)
    assert torch.equal(x.gather(1, found), wanted.values)


@pytest.mark.parametrize("place", [0, 77, 4_095, 4_096, 4_102])
def test_they_may_be_anywhere(place: int) -> None:
    x = torch.zeros(1, 4_103)
    x[0, place] = 1
    assert largest(x, 3)[0, 0] == place


def test_neighbours_of_one_group_are_all_found() -> None:
    x = torch.zeros(1, 6_400)
    x[0, 7::100] = torch.arange(64.0)  # the columns of group 7
    assert largest(x, 10).tolist() == [list(range(6_307, 5_400, -100))]


def test_of_equal_numbers_each_is_there_once() -> None:
    (row,) = largest(torch.zeros(1, 6_400), 12).tolist()
    assert len(set(row)) == 12


def test_what_is_forbidden_comes_last() -> None:
    x = torch.full((1, 6_400), -math.inf)
    x[0, [5, 6_000]] = torch.tensor([1.0, 2.0])
    assert largest(x, 3)[0, :2].tolist() == [6_000, 5]


def test_what_is_not_a_number_is_not_overlooked() -> None:
    x = torch.randn(2, 6_400)
    x[1, 4_321] = math.nan
    assert largest(x, 2)[1, 0] == 4_321


def test_company_changes_nothing() -> None:
    x = torch.randint(0, 40, (9, 6_400)).float()  # ties abound
    together = largest(x, 5)
    for row in range(9):
        assert torch.equal(largest(x[row : row + 1], 5)[0], together[row])
