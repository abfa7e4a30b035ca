"""The decoder: one step at a time or all at once, alone or padded, against torch's layers."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from auricle.model import Decoder, SpeechTransformer, length_mask, new_cache
from auricle.model.decoder import DecoderLayer
from tests.asr.model.slots import Kind, filled_cache, spoil, step
from tests.asr.tiny import (
    ARCHITECTURES,
    DTYPES,
    SECONDS,
    VOCAB_SIZE,
    Positions,
    features,
    prepared_model,
    tiny_config,
    tiny_model,
    utterances,
)

WIDTH, HEADS, FFN = 16, 2, 32
TOKENS = 9


def encoded(model: SpeechTransformer) -> tuple[Tensor, Tensor]:
    encoder_out, lens = model.encoder(*features(model.config))
    return encoder_out, lens


def some_tokens(rows: int = len(SECONDS), tokens: int = TOKENS) -> Tensor:
    return torch.randint(VOCAB_SIZE, (rows, tokens), generator=torch.manual_seed(0))


@pytest.mark.parametrize("garbage", [0.0, 1e4])
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_a_step_at_a_time_is_all_at_once(
    kind: Kind, positions: Positions, conv_kernel: int, garbage: float
) -> None:
    model = tiny_model(positions, conv_kernel)
    decoder = model.decoder
    encoder_out, lens = encoded(model)
    tokens = some_tokens()
    expected = decoder(tokens, encoder_out, lens)
    cache = filled_cache(kind, decoder, model.encoder.encode(utterances(model.config)))
    spoil(cache, garbage)  # where nothing has been written yet
    for position in range(TOKENS):
        logits = step(decoder, cache, dict(enumerate(tokens[:, position].tolist())))
        torch.testing.assert_close(logits, expected[:, position], atol=1e-4, rtol=0)
    assert cache.lens[: len(SECONDS)] == [TOKENS] * len(SECONDS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("frames", [1, 2, 7, 15])
@torch.inference_mode()
def test_few_frames_are_memorised_as_many_are(dtype: torch.dtype, frames: int) -> None:
    """A product of few rows rounds differently: not here. They also come out alone."""
    model = prepared_model(dtype)
    encoder_out, other, *_ = model.encoder.encode(utterances(model.config, dtype))
    whole, _, part = model.decoder.project_memory([encoder_out, other, encoder_out[:frames]])
    (alone,) = model.decoder.project_memory([encoder_out[:frames]])
    assert torch.equal(part, whole[:, :, :, :frames])
    assert torch.equal(alone, part)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_memory_is_the_keys_and_values_of_each_layer(positions: Positions) -> None:
    model = tiny_model(positions)
    outs = model.encoder.encode(utterances(model.config))
    for encoder_out, memory in zip(outs, model.decoder.project_memory(outs), strict=True):
        for layer, (keys, values) in zip(model.decoder.layers, memory, strict=True):
            expected = layer.cross_attention.keys_values(encoder_out[None])
            torch.testing.assert_close(keys, expected[0][0], atol=1e-4, rtol=0)
            torch.testing.assert_close(values, expected[1][0], atol=1e-4, rtol=0)


def test_logits_of_some_tokens_are_those_of_all() -> None:
    decoder = tiny_model().decoder
    decoder_out = torch.randn(5, decoder.config.d_model, generator=torch.manual_seed(0))
    tokens = some_tokens(5, 7)
    found, whole = decoder.logits_of(decoder_out, tokens), decoder.logits(decoder_out)
    torch.testing.assert_close(found, whole.gather(1, tokens), atol=1e-5, rtol=0)


def test_logits_of_some_tokens_of_a_half_are_float32() -> None:
    """As if the weights had been widened first."""
    decoder = prepared_model(torch.bfloat16).decoder
    out = torch.randn(5, decoder.config.d_model, generator=torch.manual_seed(0)).bfloat16()
    tokens = some_tokens(5, 7)
    found = decoder.logits_of(out, tokens)
    expected = (out.double() @ decoder.embedding.weight.double().T).gather(1, tokens)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=0)
    assert (decoder.logits(out).gather(1, tokens) - expected).abs().max() > 1e-3


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_batch_is_its_rows_alone(positions: Positions) -> None:
    model = tiny_model(positions)
    encoder_out, lens = encoded(model)
    garbage = ~length_mask(lens, encoder_out.shape[1])
    noisy = encoder_out.masked_fill(garbage[..., None], 1e4)
    logits = model.decoder(some_tokens(), noisy, lens)
    for row, length in enumerate(lens.tolist()):
        rows = slice(row, row + 1)
        alone = model.decoder(some_tokens()[rows], encoder_out[rows, :length], lens[rows])
        torch.testing.assert_close(logits[rows], alone, atol=1e-4, rtol=0)


def test_later_tokens_change_nothing_before_them() -> None:
    model = tiny_model()
    encoder_out, lens = encoded(model)
    tokens = some_tokens()
    other = tokens.clone()
    other[:, 5] = (other[:, 5] + 1) % VOCAB_SIZE
    before, after = (model.decoder(t, encoder_out, lens) for t in (tokens, other))
    torch.testing.assert_close(before[:, :5], after[:, :5], atol=1e-6, rtol=0)
    assert (before[:, 5:] - after[:, 5:]).abs().max() > 0.1


def test_the_output_is_tied_to_the_embedding() -> None:
    model = tiny_model()
    named = model.decoder.named_parameters()
    names = [name for name, weight in named if VOCAB_SIZE in weight.shape]
    assert names == ["embedding.weight"]


def torch_layer(layer: DecoderLayer) -> nn.TransformerDecoderLayer:
    """torch's own layer with the same weights."""
    reference = nn.TransformerDecoderLayer(
        WIDTH, HEADS, FFN, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    own, cross = reference.self_attn, reference.multihead_attn
    query, key_value = layer.cross_attention.query, layer.cross_attention.key_value
    pairs = {
        own.in_proj_weight: layer.attention.qkv.weight,
        own.in_proj_bias: layer.attention.qkv.bias,
        own.out_proj.weight: layer.attention.out.weight,
        own.out_proj.bias: layer.attention.out.bias,
        cross.in_proj_weight: torch.cat([query.weight, key_value.weight]),
        cross.in_proj_bias: torch.cat([query.bias, key_value.bias]),
        cross.out_proj.weight: layer.cross_attention.out.weight,
        cross.out_proj.bias: layer.cross_attention.out.bias,
    }
    with torch.no_grad():
        for target, source in pairs.items():
            target.copy_(source)
    reference.linear1.load_state_dict(layer.ffn[0].state_dict())
    reference.linear2.load_state_dict(layer.ffn[2].state_dict())
    reference.norm1.load_state_dict(layer.attention_norm.state_dict())
    reference.norm2.load_state_dict(layer.cross_norm.state_dict())
    reference.norm3.load_state_dict(layer.ffn_norm.state_dict())
    return reference


def test_the_plain_decoder_is_torchs() -> None:
    config = tiny_config("sinusoidal", 0).transformer
    config = replace(config, d_model=WIDTH, n_heads=HEADS, ffn_dim=FFN, dropout=0.0)
    torch.manual_seed(0)
    decoder = Decoder(config)
    encoder_out, lens = torch.randn(3, 8, WIDTH), torch.tensor([8, 3, 5])
    tokens = some_tokens(3)
    half = torch.arange(WIDTH // 2, dtype=torch.float64) / (WIDTH // 2)
    angles = torch.arange(TOKENS)[:, None] * 10_000.0**-half
    x = decoder.embedding.weight[tokens] * WIDTH**0.5
    x = x + torch.cat([angles.sin(), angles.cos()], dim=-1).float()
    later = torch.ones(TOKENS, TOKENS, dtype=torch.bool).triu(1)
    padding = ~length_mask(lens, 8)
    for layer in decoder.layers:
        x = torch_layer(layer)(x, encoder_out, tgt_mask=later, memory_key_padding_mask=padding)
    expected = decoder.norm(x) @ decoder.embedding.weight.T
    torch.testing.assert_close(decoder(tokens, encoder_out, lens), expected, atol=1e-5, rtol=0)


def test_the_whole_model_is_its_parts() -> None:
    model = tiny_model()
    x, x_lens = features(model.config)
    logits, ctc_logits, lens = model(x, x_lens, some_tokens())
    encoder_out, expected_lens = model.encoder(x, x_lens)
    assert torch.equal(lens, expected_lens)
    assert torch.equal(ctc_logits, model.ctc(encoder_out))
    assert torch.equal(logits, model.decoder(some_tokens(), encoder_out, lens))
    assert logits.shape == (len(SECONDS), TOKENS, VOCAB_SIZE)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_cuda_decodes_as_the_cpu(positions: Positions) -> None:
    model = tiny_model(positions)
    encoder_out, lens = encoded(model)
    expected = model.decoder(some_tokens(), encoder_out, lens)
    decoder = copy.deepcopy(model.decoder).cuda()
    memory, tokens = encoder_out.cuda(), some_tokens().cuda()
    full = decoder(tokens, memory, lens.cuda())
    torch.testing.assert_close(full.cpu(), expected, atol=5e-3, rtol=0)
    rows = [row[:length] for row, length in zip(memory, lens.tolist(), strict=True)]
    cache = new_cache(decoder, slots=len(rows), max_frames=64)
    for slot, each in enumerate(decoder.project_memory(rows)):
        cache.open([slot], each)
    for position in range(TOKENS):
        logits = step(decoder, cache, dict(enumerate(some_tokens()[:, position].tolist())))
        torch.testing.assert_close(logits, full[:, position], atol=5e-3, rtol=0)
