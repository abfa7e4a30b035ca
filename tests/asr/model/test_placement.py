"""Learned positions, and rotary ones of a part of each head."""

from dataclasses import replace

import torch

from auricle.config import TransformerConfig
from auricle.model import Decoder, Encoder
from auricle.model.positions import Placement, rotary, rotate

LEARNED = TransformerConfig(
    d_model=8, n_heads=2, ffn_dim=16, positions="learned", max_frames=9, max_tokens=5
)


def test_a_part_of_each_head_turns() -> None:
    x = torch.randn(2, 3, 7, 10, generator=torch.manual_seed(0))
    rotation = rotary(torch.arange(7), 6)
    turned = rotate(x, rotation)
    assert torch.equal(turned[..., 6:], x[..., 6:])
    assert torch.equal(turned[..., :6], rotate(x[..., :6], rotation))


def test_learned_positions_are_added() -> None:
    placement = Placement(LEARNED, 9)
    x = torch.randn(2, 4, 8)
    placed, rotation = placement(x, torch.tensor([3, 0, 8, 1]))
    assert rotation is None
    assert torch.equal(placed, x + placement.table.weight[[3, 0, 8, 1]])


def test_each_side_has_its_own_table_and_others_none() -> None:
    assert Encoder(4, LEARNED).placement.table.weight.shape == (9, 8)
    assert Decoder(LEARNED).placement.table.weight.shape == (5, 8)
    rotary_config = replace(LEARNED, positions="rotary", rotary_dim=2)
    assert not list(Placement(rotary_config, 9).parameters())


def test_a_strip_longer_than_the_table_is_no_trouble() -> None:
    """Positions begin anew in each utterance, and there are none between them."""
    encoder = Encoder(4, replace(LEARNED, conv_kernel=0)).eval()
    xs = [torch.randn(length, 4) for length in (36, 1, 20, 36)]
    with torch.inference_mode():
        together = encoder.encode(xs)
        assert [len(out) for out in together] == [9, 1, 5, 9]
        for x, found in zip(xs, together, strict=True):
            expected, _ = encoder(x[None], torch.tensor([len(x)]))
            torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=0)
