"""The published sizes, with random weights: the numbers of docs/checkpoints.md."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from auricle.families import load_pretrained
from tests.asr.families.peers import (
    Peer,
    features,
    heard,
    hub_moonshine,
    hub_whisper,
    runner,
    save,
    transformers,
    write_tokenizer,
)

pytestmark = pytest.mark.slow
TOLERANCE = 1e-4
WHISPER = {  # width, heads, layers of encoder and decoder, mel bins
    "tiny": (384, 6, 4, 4, 80),
    "base": (512, 8, 6, 6, 80),
    "small": (768, 12, 12, 12, 80),
    "medium": (1024, 16, 24, 24, 80),
    "large-v3": (1280, 20, 32, 32, 128),
    "turbo": (1280, 20, 32, 4, 128),
    "distil-large-v3": (1280, 20, 32, 2, 128),
}
MOONSHINE = {"tiny": (288, 6, 0.9), "base": (416, 8, 0.62)}  # width, layers, turning share


def calm(model: Peer) -> Peer:
    """Matrices that neither shrink nor blow up what goes through them."""
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "embed" not in name:
            weight.normal_(std=weight[0].numel() ** -0.5)
    return model


def skip_without_memory(model: nn.Module) -> None:
    """Theirs, its file's pages and ours."""
    needed = 3 * sum(w.numel() * w.element_size() for w in model.parameters())
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        pytest.skip(f"needs {needed >> 20} MiB, {free >> 20} are free")


@pytest.mark.parametrize("size", WHISPER)
@torch.inference_mode()
def test_whisper(size: str, tmp_path: Path) -> None:
    width, heads, encoder_layers, decoder_layers, n_mels = WHISPER[size]
    theirs = hub_whisper(
        vocab_size=51_866,
        d_model=width,
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        num_mel_bins=n_mels,
        max_source_positions=1500,
        max_target_positions=448,
    )
    skip_without_memory(theirs)
    save(calm(theirs), tmp_path)
    write_tokenizer(tmp_path, 51_866 - 1_501)
    listener = runner(load_pretrained(tmp_path), slots=1)
    (x,) = features(listener, heard()[-1:])
    expected = theirs.get_submodule("model.encoder")(x.T[None]).last_hidden_state
    (found,) = listener.model.encoder.encode([x])
    compare(listener.model.decoder, theirs, found, expected[0], size)


@pytest.mark.parametrize("size", MOONSHINE)
@torch.inference_mode()
def test_moonshine(size: str, tmp_path: Path) -> None:
    width, layers, share = MOONSHINE[size]
    theirs = hub_moonshine(
        vocab_size=32_768,
        hidden_size=width,
        intermediate_size=4 * width,
        encoder_num_hidden_layers=layers,
        decoder_num_hidden_layers=layers,
        encoder_num_attention_heads=8,
        decoder_num_attention_heads=8,
        max_position_embeddings=194,
        partial_rotary_factor=share,
    )
    save(calm(theirs), tmp_path)
    write_tokenizer(tmp_path, 32_768)
    listener = runner(load_pretrained(tmp_path), slots=1)
    assert listener.config.transformer.rotary_dim == 32
    (x,) = features(listener, heard()[-1:])
    expected = theirs.get_submodule("model.encoder")(x[:, 0][None]).last_hidden_state
    (found,) = listener.model.encoder.encode([x])
    compare(listener.model.decoder, theirs, found, expected[0], size)


def compare(
    decoder: Peer, theirs: Peer, found: torch.Tensor, expected: torch.Tensor, size: str
) -> None:
    """Prints what the table says."""
    tokens = torch.randint(1_000, (1, 40), generator=torch.manual_seed(0))
    output = transformers.models.moonshine.modeling_moonshine.MoonshineEncoderModelOutput(
        expected[None]
    )
    logits = theirs(encoder_outputs=output, decoder_input_ids=tokens).logits
    ours = decoder(tokens, expected[None], torch.tensor([len(expected)]))
    differences = [float((a - b).abs().max()) for a, b in ((found, expected), (ours, logits))]
    print(f"\n{size}: encoder {differences[0]:.1e}, logits {differences[1]:.1e}")  # noqa: T201
    assert max(differences) <= TOLERANCE
    assert float(expected.std(dim=0).max()) > 0.1  # most of a window is silence
    assert float(logits.std(dim=1).mean()) > 0.1  # no two tokens lead to the same
