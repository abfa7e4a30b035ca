import numpy as np
import pytest

from auricle.training.language_model.counts import NGrams, Packing, Text, group_starts
from auricle_types.errors import InvalidOptionError


def test_a_key_holds_its_tokens_the_first_one_highest() -> None:
    packing = Packing.of(96, 3)
    keys = packing.pack([np.array([95, 1]), np.array([0, 2]), np.array([7, 3])])
    assert keys.tolist() == [(95 << 14) + 7, (1 << 14) + (2 << 7) + 3]
    assert packing.history(keys).tolist() == [95 << 7, (1 << 7) + 2]
    assert packing.last(keys).tolist() == [7, 3]
    assert packing.shortened(keys, 3).tolist() == [7, (2 << 7) + 3]


@pytest.mark.parametrize(("vocab_size", "order"), [(96, 9), (128, 9), (2, 64), (65_536, 4)])
def test_orders_that_fit(vocab_size: int, order: int) -> None:
    packing = Packing.of(vocab_size, order)
    highest = packing.pack([np.array([vocab_size - 1])] * order)
    assert packing.last(highest).tolist() == [vocab_size - 1]
    assert packing.history(highest).tolist() == packing.shortened(highest, order).tolist()


@pytest.mark.parametrize(("vocab_size", "order"), [(96, 10), (96, 1), (129, 9), (65_537, 4)])
def test_orders_that_do_not(vocab_size: int, order: int) -> None:
    with pytest.raises(InvalidOptionError, match="order must be 2 to"):
        Packing.of(vocab_size, order)


def test_windows_stay_within_lines() -> None:
    packing = Packing.of(16, 3)
    text = Text.of([[1, 5, 2], [1, 2], [1, 6, 7, 2]], [1.0, 2.0, 3.0])
    keys, weights = text.windows(2, packing)
    pairs = [divmod(key, 16) for key in keys.tolist()]
    assert pairs == [(1, 5), (5, 2), (1, 2), (1, 6), (6, 7), (7, 2)]
    assert weights.tolist() == [1, 1, 2, 3, 3, 3]
    begun, weights = text.beginnings(3, packing)
    assert [(key >> 8, key >> 4 & 15, key & 15) for key in begun.tolist()] == [(1, 5, 2), (1, 6, 7)]
    assert weights.tolist() == [1, 3]
    assert text.windows(5, packing)[0].tolist() == []


def test_equal_keys_are_summed() -> None:
    keys = np.array([5, 3, 5, 9], np.uint64)
    found = NGrams.gathered(
        keys, np.array([1, 2, 3, 4]), np.array([0.5, 1.0, 2.0, 4.0]), np.array([1.0, 1, 1, 1])
    )
    assert found.keys.tolist() == [3, 5, 9]
    assert found.counts.tolist() == [2, 4, 4]
    assert found.weights.tolist() == [1.0, 2.5, 4.0]
    assert found.occurrences.tolist() == [1, 2, 1]


def test_groups() -> None:
    assert group_starts(np.array([2, 2, 3, 7, 7], np.uint64)).tolist() == [0, 2, 3]
    assert group_starts(np.array([], np.uint64)).tolist() == []
