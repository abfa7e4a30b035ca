"""A deeper model begins as the one it grows from, and its further layers learn."""

from dataclasses import replace

import pytest
import torch

from auricle.model import SpeechTransformer
from auricle.training.growth import grow
from tests.asr.tiny import ARCHITECTURES, Positions, tiny_config, tiny_model

TOKENS = torch.tensor([[1, 7, 9, 11], [1, 8, 4, 30]])


def deeper(model: SpeechTransformer, encoder: int, decoder: int) -> SpeechTransformer:
    config = model.config
    dims = replace(config.transformer, encoder_layers=encoder, decoder_layers=decoder, dropout=0)
    return SpeechTransformer(replace(config, transformer=dims)).eval()


def heard(model: SpeechTransformer) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    x = torch.randn(2, 40, model.config.features.n_mels)
    encoder_out, lens = model.encoder(x, torch.tensor([40, 27]))
    return model.ctc(encoder_out), model.decoder(TOKENS, encoder_out, lens)


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
@pytest.mark.parametrize("layers", [(2, 2), (3, 2), (5, 4)])
def test_it_says_the_same(positions: Positions, conv_kernel: int, layers: tuple[int, int]) -> None:
    torch.manual_seed(1)
    model = SpeechTransformer(tiny_config(positions, conv_kernel)).eval()
    grown = deeper(model, *layers)
    grow(grown, model)
    for mine, theirs in zip(heard(grown), heard(model), strict=True):
        assert torch.equal(mine, theirs)


def test_the_further_layers_lie_between_those_they_copy() -> None:
    model, grown = tiny_model(), deeper(tiny_model(), 5, 3)
    grow(grown, model)
    queries = [layer.attention.qkv.weight for layer in grown.encoder.layers]
    first, last = (layer.attention.qkv.weight for layer in model.encoder.layers)
    for found, wanted in zip(queries, (first, first, first, last, last), strict=True):
        assert torch.equal(found, wanted)
    quiet = [not layer.attention.out.weight.any() for layer in grown.encoder.layers]
    assert quiet == [False, True, True, False, True]


def test_they_learn() -> None:
    grown = deeper(tiny_model(), 3, 3)
    grow(grown, tiny_model())
    sum(each.square().mean() for each in heard(grown)).backward()  # type: ignore[union-attr]
    for layers in (grown.encoder.layers, grown.decoder.layers):
        for layer in layers:
            assert all(output.weight.grad.any() for output in layer.onto_residual)  # type: ignore[union-attr]
