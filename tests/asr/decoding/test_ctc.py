import pytest
import torch

from auricle.decoding import ctc_greedy


def logits(frames: list[int]) -> torch.Tensor:
    """Logits `(N, V)` whose best pieces are `frames`."""
    return torch.nn.functional.one_hot(torch.tensor(frames), 10).float()


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
    assert ctc_greedy(logits(frames)) == tokens
