import pytest
import torch

from auricle.decoding import ctc_greedy


def logits(*rows: list[int]) -> torch.Tensor:
    """Logits `(B, N, V)` whose best pieces are `rows`."""
    return torch.nn.functional.one_hot(torch.tensor(rows), 10).float()


@pytest.mark.parametrize(
    ("frames", "tokens"),
    [
        ([5, 6, 7], [5, 6, 7]),
        ([5, 5, 5], [5]),
        ([5, 0, 5], [5, 5]),
        ([0, 0, 0], []),
        ([0, 5, 5, 0, 0, 6, 6, 5], [5, 6, 5]),
        ([5, 0, 0, 5, 5], [5, 5]),
        ([7], [7]),
    ],
)
def test_repeats_and_blanks_go(frames: list[int], tokens: list[int]) -> None:
    assert ctc_greedy(logits(frames), torch.tensor([len(frames)])) == [tokens]


def test_what_stands_behind_a_rows_end_is_not_read() -> None:
    both = logits([5, 6, 7, 7], [5, 6, 7, 8])
    both[0, 2:] = float("nan")
    assert ctc_greedy(both, torch.tensor([2, 4])) == [[5, 6], [5, 6, 7, 8]]
