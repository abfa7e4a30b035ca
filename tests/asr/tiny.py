"""A tiny model that listens, and sounds for it to hear: helpers for tests, no tests.

Random weights often ignore their input, and then every comparison passes. These are scaled until
different sounds give different tokens, which `tiny_model` asserts.
"""

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.checkpoint import Checkpoint, save_checkpoint
from auricle.config import SAMPLE_RATE, ModelConfig, TransformerConfig
from auricle.decoding import Posteriors, decode_all, new_search
from auricle.engine.devices import loaded, prepare
from auricle.features import LogMel
from auricle.hypothesis import Hypothesis
from auricle.model import SpeechTransformer
from auricle.model.packed import has_bfloat16_products
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions

VOCAB_SIZE = 48
WINDOW_SECONDS = 5.0
SECONDS = (1.0, 0.37, 2.1, 0.62, 1.55, 0.85)  # of the sounds: none like another
SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "pack my box with five dozen liquor jugs",
    "how vexingly quick daft zebras jump",
    "she sells sea shells by the sea shore",
    "the rain in spain stays mainly in the plain",
    "a stitch in time saves nine",
    "to be or not to be that is the question",
    "it was the best of times it was the worst of times",
)

DTYPES = (  # those in which company changes nothing
    torch.float32,
    *([torch.bfloat16] if has_bfloat16_products() else []),
    torch.int8,
)
Positions = Literal["rotary", "sinusoidal"]
ARCHITECTURES: tuple[tuple[Positions, int], ...] = (
    ("rotary", 0),
    ("rotary", 15),
    ("sinusoidal", 0),
    ("sinusoidal", 15),
)  # positions, conv_kernel


def tiny_config(positions: Positions = "rotary", conv_kernel: int = 15) -> ModelConfig:
    """Every part of the real model, each as small as it goes."""
    transformer = TransformerConfig(
        vocab_size=VOCAB_SIZE,
        d_model=32,
        n_heads=2,
        encoder_layers=2,
        decoder_layers=2,
        ffn_dim=64,
        conv_kernel=conv_kernel,
        positions=positions,
    )
    return ModelConfig(name="tiny", window_seconds=WINDOW_SECONDS, transformer=transformer)


def sound(seed: int, seconds: float = 1.0) -> npt.NDArray[np.float32]:
    """A melody of a tenth of a second a tone, `(S,)`, another one for each seed."""
    random = np.random.default_rng(seed)
    samples, tone = round(seconds * SAMPLE_RATE), SAMPLE_RATE // 10
    tones = samples // tone + 1
    frequency = np.repeat(random.uniform(100, 6_000, tones), tone)[:samples]
    level = np.repeat(10 ** random.uniform(-2, -0.3, tones), tone)[:samples]
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    noise = 0.003 * random.standard_normal(samples)
    return (level * np.sin(phase) + noise).astype(np.float32)


@functools.cache
def sounds() -> tuple[npt.NDArray[np.float32], ...]:
    """Sounds of different lengths, for a batch."""
    return tuple(sound(seed, seconds) for seed, seconds in enumerate(SECONDS))


def padded(rows: list[Tensor], value: float = 0.0) -> tuple[Tensor, Tensor]:
    """Rows of different lengths as a batch and its lengths, `value` behind each row's end."""
    lens = torch.tensor([len(row) for row in rows])
    return pad_sequence(rows, batch_first=True, padding_value=value), lens


def features(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """`x (B, T, n_mels), x_lens (B,)` of the sounds."""
    samples, lens = padded([torch.from_numpy(waveform) for waveform in sounds()])
    x, x_lens = LogMel(config.features)(samples, lens)
    return x, x_lens


def utterances(config: ModelConfig, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Features `(T_i, n_mels)` of each of the sounds."""
    x, x_lens = features(config)
    x = x.to(loaded(dtype))
    return [row[:length] for row, length in zip(x, x_lens.tolist(), strict=True)]


def decoded(
    model: SpeechTransformer,
    encoder_outs: Sequence[Tensor],
    options: DecodingOptions | None = None,
) -> list[Hypothesis]:
    """The answers of utterances `(N_i, D)` that are decoded together."""
    searches = [
        new_search(options or DecodingOptions(), len(out), end=Tokenizer.end_id)
        for out in encoder_outs
    ]
    return [
        search.best()
        for search in decode_all(model.decoder, encoder_outs, searches, Tokenizer.special)
    ]


def posteriors(model: SpeechTransformer, encoder_outs: Sequence[Tensor]) -> list[Posteriors]:
    """What CTC hears in each of utterances `(N_i, D)`."""
    heads = [model.ctc(out) for out in encoder_outs]
    return [
        Posteriors.of(each.log_softmax(-1, dtype=torch.float32).numpy(), end=Tokenizer.end_id)
        for each in heads
    ]


@functools.cache
def tiny_model(positions: Positions = "rotary", conv_kernel: int = 15) -> SpeechTransformer:
    """The same random model for the same arguments, in eval mode. Do not change it."""
    torch.manual_seed(5)
    model = SpeechTransformer(tiny_config(positions, conv_kernel)).eval()
    model.requires_grad_(False)
    _make_it_listen(model)
    _assert_it_listens(model)
    return model


@functools.cache
def prepared_model(
    dtype: torch.dtype, positions: Positions = "rotary", conv_kernel: int = 15
) -> SpeechTransformer:
    """The tiny model as a runner on the CPU has it, in `dtype`. Do not change it."""
    model = prepare(copy.deepcopy(tiny_model(positions, conv_kernel)), torch.device("cpu"), dtype)
    _assert_it_listens(model)
    return model


def _make_it_listen(model: SpeechTransformer) -> None:
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            weight.normal_(std=0.1)
        elif weight.dim() > 1 and "embedding" not in name:
            weight.normal_(std=3 * weight[0].numel() ** -0.5)
    first = model.encoder.get_parameter("subsampling.convs.0.weight")
    first.sub_(first.mean(dim=(1, 2), keepdim=True)).mul_(3)  # deaf to what all sounds share
    model.decoder.embedding.weight[Tokenizer.end_id].mul_(1.5)  # some rows end before their limit


def _assert_it_listens(model: SpeechTransformer) -> None:
    """Different tokens for each of the sounds, from both heads, and an END for some."""
    dtype = model.decoder.embedding.weight.dtype
    encoder_outs = model.encoder.encode(utterances(model.config, dtype))
    hypotheses = decoded(model, encoder_outs)
    assert len({hypothesis.tokens for hypothesis in hypotheses}) == len(SECONDS)
    assert {hypothesis.ended for hypothesis in hypotheses} == {True, False}
    best = [model.ctc(encoder_out).argmax(dim=-1) for encoder_out in encoder_outs]
    assert len({tuple(row[:5].tolist()) for row in best}) == len(SECONDS)


@functools.cache
def tiny_tokenizer(vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Learnt from `SENTENCES`."""
    return Tokenizer.train(SENTENCES, vocab_size)


def tiny_checkpoint() -> Checkpoint:
    """A copy of the default tiny model, with its tokenizer: who serves it may change it."""
    return Checkpoint(copy.deepcopy(tiny_model()), tiny_tokenizer())


def write_tiny_checkpoint(folder: Path) -> Path:
    """The default tiny model as a file."""
    path = folder / "tiny.safetensors"
    save_checkpoint(path, tiny_model(), tiny_tokenizer())
    return path
