from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.training.batches import make_batches

LENGTHS = st.lists(st.floats(0.1, 18.0), min_size=1, max_size=60)
SECONDS = np.random.default_rng(0).uniform(1, 16, 200).tolist()


@given(seconds=LENGTHS, budget=st.floats(1.0, 60.0), epoch=st.integers(0, 3))
def test_every_utterance_once_and_within_the_budget(
    seconds: list[float], budget: float, epoch: int
) -> None:
    batches = make_batches(seconds, budget, seed=1, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(seconds)))
    for batch in batches:
        assert batch
        assert len(batch) == 1 or max(seconds[i] for i in batch) * len(batch) <= budget


def test_nothing_makes_no_batches() -> None:
    assert make_batches([], 10.0, seed=1, epoch=0) == []


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    assert make_batches(SECONDS, 48, seed=1, epoch=2) == make_batches(SECONDS, 48, seed=1, epoch=2)


@pytest.mark.parametrize(("seed", "epoch"), [(2, 2), (1, 3)])
def test_companions_change_with_seed_and_epoch(seed: int, epoch: int) -> None:
    def companions(seed: int, epoch: int) -> set[frozenset[int]]:
        return {frozenset(batch) for batch in make_batches(SECONDS, 48, seed=seed, epoch=epoch)}

    assert companions(1, 2) != companions(seed, epoch)


def longest(batches: list[list[int]]) -> list[float]:
    return [max(SECONDS[index] for index in batch) for batch in batches]


def test_the_first_epoch_goes_from_short_to_long() -> None:
    first = longest(make_batches(SECONDS, 48, seed=1, epoch=0))
    assert all(later > earlier * 0.9 for earlier, later in pairwise(first))


def test_later_epochs_are_shuffled() -> None:
    later = longest(make_batches(SECONDS, 48, seed=1, epoch=1))
    assert any(b < a * 0.5 for a, b in pairwise(later))


def test_lengths_in_a_batch_are_alike() -> None:
    for batch in make_batches(SECONDS, 48, seed=1, epoch=1):
        lengths = [SECONDS[index] for index in batch]
        assert min(lengths) > max(lengths) - 3.0
