"""The encoder: alone or padded, against torch's own layers and against float64 by hand."""

import copy
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.config import TransformerConfig, strided
from auricle.model import Encoder, length_mask
from auricle.model.attention import masked_attention
from auricle.model.encoder import EncoderLayer
from auricle.model.layers import ConvModule, SelfAttention
from auricle.model.positions import rotary
from auricle.model.stem import Stem
from tests.asr.tiny import ARCHITECTURES, Positions, features, padded, tiny_config, tiny_model

WIDTH, HEADS, FFN = 16, 2, 32


def rows_of(x: Tensor, lens: Tensor) -> list[Tensor]:
    return [row[:length] for row, length in zip(x, lens.tolist(), strict=True)]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.manual_seed(seed))


@pytest.mark.parametrize("garbage", [1e9, float("inf"), float("nan")])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_batch_is_its_rows_alone(positions: Positions, conv_kernel: int, garbage: float) -> None:
    model = tiny_model(positions, conv_kernel)
    rows = rows_of(*features(model.config))
    x, x_lens = padded(rows, garbage)
    encoder_out, lens = model.encoder(x, x_lens)
    ctc = model.ctc(encoder_out)
    assert torch.isfinite(encoder_out).all()  # padding included: the decoder relies on it
    for index, row in enumerate(rows):
        alone, alone_lens = model.encoder(row[None], x_lens[index : index + 1])
        length = int(lens[index])
        assert alone_lens.tolist() == [length]
        assert alone.shape[1] == length
        torch.testing.assert_close(encoder_out[index, :length], alone[0], atol=1e-4, rtol=0)
        torch.testing.assert_close(ctc[index, :length], model.ctc(alone)[0], atol=1e-4, rtol=0)


@settings(max_examples=15)
@given(x_lens=st.lists(st.integers(1, 40), min_size=1, max_size=4), strides=st.sampled_from(
    [(), (1,), (2,), (2, 2), (3, 2), (2, 2, 2)]
))  # fmt: skip
def test_lengths_follow_the_one_formula(x_lens: list[int], strides: tuple[int, ...]) -> None:
    config = TransformerConfig(stem=strided(*strides))
    subsampling = Stem(8 if strides else WIDTH, WIDTH, strided(*strides))
    x = torch.zeros(len(x_lens), max(x_lens), 8 if strides else WIDTH)
    out, mask = subsampling(x, length_mask(torch.tensor(x_lens), max(x_lens)))
    assert mask.sum(dim=1).tolist() == [config.encoder_len(length) for length in x_lens]
    assert torch.equal(mask, mask.sort(dim=1, descending=True).values)  # no holes
    assert out.shape == (len(x_lens), config.encoder_len(max(x_lens)), WIDTH)


def test_subsampling_is_the_naive_convolution() -> None:
    subsampling = Stem(4, 6, strided(2, 2)).double()
    x = random(1, 11, 4).double()
    expected = x[0]
    for conv in subsampling.convs:
        assert isinstance(conv, nn.Conv1d)
        framed = F.pad(expected, (0, 0, 1, 1)).unfold(0, 3, 2)  # (T', C, 3)
        product = torch.einsum("tck,ock->to", framed, conv.weight)
        assert conv.bias is not None
        expected = F.gelu(product + conv.bias)
    found, mask = subsampling(x, length_mask(torch.tensor([11]), 11))
    assert mask.sum(dim=1).tolist() == [3]
    torch.testing.assert_close(found[0], expected, atol=1e-12, rtol=0)


def naive_attention(attention: SelfAttention, x: Tensor, positions: bool) -> Tensor:
    """One row `(T, D)`, head by head, key by key, in float64."""
    width = x.shape[1] // attention.n_heads
    query, key, value = (x @ attention.qkv.weight.T + attention.qkv.bias).chunk(3, dim=-1)
    frequencies = 10_000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    heads = []
    for head in range(attention.n_heads):
        part = slice(head * width, (head + 1) * width)
        q, k, v = query[:, part], key[:, part], value[:, part]
        if positions:
            turn = torch.polar(
                torch.ones(len(x), width // 2, dtype=torch.float64),
                torch.arange(len(x))[:, None] * frequencies,
            )
            q, k = (torch.complex(*y.chunk(2, dim=-1)) * turn for y in (q, k))
            scores = (q[:, None] * k.conj()[None]).real.sum(dim=-1)
        else:
            scores = q @ k.T
        heads.append((scores / width**0.5).softmax(dim=-1) @ v)
    return torch.cat(heads, dim=-1) @ attention.out.weight.T + attention.out.bias


@pytest.mark.parametrize("positions", [False, True])
def test_self_attention_is_the_naive_one(positions: bool) -> None:
    attention = SelfAttention(WIDTH, HEADS).double()
    x, lens = random(2, 7, WIDTH).double(), torch.tensor([7, 4])
    rotation = rotary(torch.arange(7), WIDTH // HEADS) if positions else None
    attend = partial(masked_attention, mask=length_mask(lens, 7)[:, None, None])
    found = attention(x, attend, rotation)
    for row, length in zip(range(2), lens.tolist(), strict=True):
        expected = naive_attention(attention, x[row, :length], positions)
        torch.testing.assert_close(found[row, :length], expected, atol=1e-6, rtol=0)


def test_the_convolution_module_is_the_naive_one() -> None:
    module = ConvModule(6, 5).double()
    x = random(2, 9, 6).double()
    lens = torch.tensor([9, 4])
    x[1, 4:] = 1e6
    found = module(x, length_mask(lens, 9))
    for row, length in zip(range(2), lens.tolist(), strict=True):
        expected = naive_convolution(module, x[row, :length])
        torch.testing.assert_close(found[row, :length], expected, atol=1e-12, rtol=0)


def naive_convolution(module: ConvModule, x: Tensor) -> Tensor:
    """One row `(N, D)`, frame by frame: gate, convolve each channel, normalise, swish."""
    value, gate = (x @ module.pointwise_in.weight.T + module.pointwise_in.bias).chunk(2, dim=-1)
    gated = F.pad(value * gate.sigmoid(), (0, 0, 2, 2))
    weight, bias = module.depthwise.weight[:, 0].T, module.depthwise.bias  # (kernel, D)
    assert bias is not None
    frames = torch.stack([(gated[t : t + 5] * weight).sum(dim=0) + bias for t in range(len(x))])
    centred = frames - frames.mean(dim=-1, keepdim=True)
    spread = (centred.square().mean(dim=-1, keepdim=True) + module.norm.eps).sqrt()
    normed = centred / spread * module.norm.weight + module.norm.bias
    swish = normed * normed.sigmoid()
    return swish @ module.pointwise_out.weight.T + module.pointwise_out.bias


def torch_layer(layer: EncoderLayer) -> nn.TransformerEncoderLayer:
    """torch's own layer with the same weights."""
    reference = nn.TransformerEncoderLayer(
        WIDTH, HEADS, FFN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    attention = reference.self_attn
    pairs = {
        attention.in_proj_weight: layer.attention.qkv.weight,
        attention.in_proj_bias: layer.attention.qkv.bias,
        attention.out_proj.weight: layer.attention.out.weight,
        attention.out_proj.bias: layer.attention.out.bias,
    }
    with torch.no_grad():
        for target, source in pairs.items():
            target.copy_(source)
    reference.linear1.load_state_dict(layer.ffn[0].state_dict())
    reference.linear2.load_state_dict(layer.ffn[2].state_dict())
    reference.norm1.load_state_dict(layer.attention_norm.state_dict())
    reference.norm2.load_state_dict(layer.ffn_norm.state_dict())
    return reference


def plain_config() -> TransformerConfig:
    """The Transformer of torch: additive positions and no convolution module."""
    config = tiny_config("sinusoidal", 0).transformer
    return replace(config, d_model=WIDTH, n_heads=HEADS, ffn_dim=FFN, dropout=0.0)


def test_the_plain_encoder_is_torchs() -> None:
    config = plain_config()
    torch.manual_seed(0)
    encoder = Encoder(12, config)
    x, x_lens = random(3, 40, 12), torch.tensor([40, 9, 25])
    found, lens = encoder(x, x_lens)
    expected, _ = encoder.subsampling(x, length_mask(x_lens, 40))
    expected = expected * WIDTH**0.5 + sinusoid_table(expected.shape[1])
    padding = ~length_mask(lens, expected.shape[1])
    for layer in encoder.layers:
        expected = torch_layer(layer)(expected, src_key_padding_mask=padding)
    for row, reference in zip(
        rows_of(found, lens), rows_of(encoder.norm(expected), lens), strict=True
    ):
        torch.testing.assert_close(row, reference, atol=1e-5, rtol=0)


def sinusoid_table(positions: int) -> Tensor:
    """`(N, WIDTH)` by the formula: sines, then cosines."""
    half = torch.arange(WIDTH // 2, dtype=torch.float64) / (WIDTH // 2)
    angles = torch.arange(positions)[:, None] * 10_000.0**-half
    return torch.cat([angles.sin(), angles.cos()], dim=-1).float()


def test_order_matters() -> None:
    """Rotary positions are there: a reversed input is not a reversed output."""
    encoder = Encoder(8, replace(tiny_config("rotary", 0).transformer, stem=strided(1))).eval()
    for conv in encoder.subsampling.convs:
        assert isinstance(conv, nn.Conv1d)
        nn.init.zeros_(conv.weight[:, :, 0])  # the convolution itself sees no neighbours
        nn.init.zeros_(conv.weight[:, :, 2])
    x, lens = random(1, 12, 8), torch.tensor([12])
    forward, backward = encoder(x, lens)[0], encoder(x.flip(1), lens)[0].flip(1)
    assert (forward - backward).abs().max() > 0.01


def test_dropout_is_for_training_only() -> None:
    model = copy.deepcopy(tiny_model())
    x, x_lens = features(model.config)
    assert torch.equal(model.encoder(x, x_lens)[0], model.encoder(x, x_lens)[0])
    model.train()
    assert not torch.equal(model.encoder(x, x_lens)[0], model.encoder(x, x_lens)[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_cuda_encodes_as_the_cpu(positions: Positions, conv_kernel: int) -> None:
    model = tiny_model(positions, conv_kernel)
    x, x_lens = padded(rows_of(*features(model.config)), float("nan"))
    expected, lens = model.encoder(x, x_lens)
    encoder = copy.deepcopy(model.encoder).cuda()
    found, cuda_lens = encoder(x.cuda(), x_lens.cuda())
    assert torch.equal(cuda_lens.cpu(), lens)
    for row, reference in zip(rows_of(found.cpu(), lens), rows_of(expected, lens), strict=True):
        torch.testing.assert_close(row, reference, atol=5e-3, rtol=0)
