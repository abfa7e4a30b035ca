"""Masks and positions by hand."""

import math

import pytest
import torch

from auricle.model.masks import key_padding_mask, length_mask
from auricle.model.positions import rotary, rotate, sinusoids


def test_a_length_mask_is_true_before_each_end() -> None:
    mask = length_mask(torch.tensor([3, 0, 1]), 3)
    assert mask.tolist() == [[True, True, True], [False, False, False], [True, False, False]]


def test_a_key_padding_mask_broadcasts_over_heads_and_queries() -> None:
    mask = key_padding_mask(torch.tensor([2, 1]), 2)
    assert mask.shape == (2, 1, 1, 2)
    assert mask[:, 0, 0].tolist() == [[True, True], [True, False]]


def test_sinusoids_are_those_of_the_formula() -> None:
    found = sinusoids(torch.tensor([0, 1, 7]), 6)
    for row, position in zip(found.tolist(), (0, 1, 7), strict=True):
        angles = [position / 10_000 ** (2 * i / 6) for i in range(3)]
        expected = [*map(math.sin, angles), *map(math.cos, angles)]
        assert row == pytest.approx(expected, abs=1e-6)


def test_a_rotation_is_a_complex_product() -> None:
    x = torch.randn(2, 3, 5, 8, dtype=torch.float64, generator=torch.manual_seed(0))
    positions = torch.arange(5)
    turned = rotate(x, rotary(positions, 8))
    frequencies = 10_000.0 ** (-torch.arange(4, dtype=torch.float64) / 4)
    phase = torch.polar(torch.ones(5, 4, dtype=torch.float64), positions[:, None] * frequencies)
    expected = torch.complex(x[..., :4], x[..., 4:]) * phase
    torch.testing.assert_close(
        turned, torch.cat([expected.real, expected.imag], dim=-1), atol=1e-6, rtol=0
    )


def test_rotation_keeps_lengths_and_sees_only_distances() -> None:
    query, key = torch.randn(2, 1, 1, 1, 8, generator=torch.manual_seed(1))

    def product(query_at: int, key_at: int) -> float:
        turned = rotate(query, rotary(torch.tensor([query_at]), 8))
        assert float(turned.norm()) == pytest.approx(float(query.norm()), rel=1e-5)
        return float((turned * rotate(key, rotary(torch.tensor([key_at]), 8))).sum())

    assert product(9, 4) == pytest.approx(product(25, 20), abs=1e-4)
    assert abs(product(9, 4) - product(9, 8)) > 0.01


def test_positions_may_differ_between_rows() -> None:
    x = torch.randn(2, 1, 3, 4, generator=torch.manual_seed(2))
    by_row = torch.tensor([[0, 1, 2], [5, 6, 7]])
    together = rotate(x, rotary(by_row, 4)[:, :, None])
    for row in range(2):
        single = rotate(x[row : row + 1], rotary(by_row[row], 4))
        torch.testing.assert_close(together[row : row + 1], single)
