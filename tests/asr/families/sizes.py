"""The published sizes by the peers' own code, with random weights that listen: no tests."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from tests.asr.families.peers import (
    Peer,
    hub_moonshine,
    hub_whisper,
    openai_file,
    openai_model,
    save,
    transformers,
    whisper,
    write_tokenizer,
)

WINDOW = 1_500  # encoder frames of Whisper's, 30 s
CONTEXT = 448  # tokens
MEMINFO = Path("/proc/meminfo")
TOKENS = torch.randint(1_000, (1, 40), generator=torch.manual_seed(0))
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """Of Whisper."""

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    n_mels: int = 80

    @property
    def n_vocab(self) -> int:
        """Those with 128 bins know one language more."""
        return 51_865 + (self.n_mels == 128)

    @property
    def nbytes(self) -> int:
        """Of its matrices in float32, nearly all that there is."""
        layers = 12 * self.encoder_layers + 16 * self.decoder_layers
        return 4 * self.width * (self.width * layers + self.n_vocab)


WHISPER = {
    "tiny": Size(384, 6, 4, 4),
    "base": Size(512, 8, 6, 6),
    "small": Size(768, 12, 12, 12),
    "medium": Size(1024, 16, 24, 24),
    "large-v3": Size(1280, 20, 32, 32, 128),
    "turbo": Size(1280, 20, 32, 4, 128),
    "distil-large-v3": Size(1280, 20, 32, 2, 128),
}
MOONSHINE = {"tiny": (288, 6, 0.9), "base": (416, 8, 0.62)}  # width, layers, turning share


class Author(Protocol):
    """One peer's model of a size."""

    model: Peer

    def save(self, folder: Path) -> Path:
        """As the peer saves it; returns what ours loads."""
        ...

    def features(self, samples: Samples) -> Tensor:
        """`(T, n_mels)`."""
        ...

    def encode(self, x: Tensor) -> Tensor:
        """`(T, n_mels) -> (N, D)`."""
        ...

    def logits(self, encoder_out: Tensor) -> Tensor:
        """Of `TOKENS` after each: `(N, D) -> (U, V)`."""
        ...


class OpenAiWhisper:
    """openai-whisper's."""

    name = "openai-whisper"

    def __init__(self, size: Size) -> None:
        self.model = openai_model(
            n_mels=size.n_mels,
            n_audio_ctx=WINDOW,
            n_audio_state=size.width,
            n_audio_head=size.heads,
            n_audio_layer=size.encoder_layers,
            n_vocab=size.n_vocab,
            n_text_ctx=CONTEXT,
            n_text_state=size.width,
            n_text_head=size.heads,
            n_text_layer=size.decoder_layers,
        )
        calm(self.model, size.encoder_layers, size.decoder_layers)

    def save(self, folder: Path) -> Path:
        return openai_file(folder, self.model)

    def features(self, samples: Samples) -> Tensor:
        padded = torch.from_numpy(whisper.pad_or_trim(samples))
        x: Tensor = whisper.log_mel_spectrogram(padded, self.model.dims.n_mels)
        return x.T

    def encode(self, x: Tensor) -> Tensor:
        encoder_out: Tensor = self.model.encoder(x.T[None])
        return encoder_out[0]

    def logits(self, encoder_out: Tensor) -> Tensor:
        logits: Tensor = self.model.decoder(TOKENS, encoder_out[None])
        return logits[0]


class HubWhisper:
    """That of transformers."""

    name = "transformers"

    def __init__(self, size: Size) -> None:
        self.model: Peer = hub_whisper(**hub_dims(size))
        calm(self.model, size.encoder_layers, size.decoder_layers)

    def save(self, folder: Path) -> Path:
        save(self.model, folder)
        write_tokenizer(folder, self.model.config.vocab_size - 1_501)
        return folder

    def features(self, samples: Samples) -> Tensor:
        bins = self.model.config.num_mel_bins
        extractor = transformers.WhisperFeatureExtractor(feature_size=bins)
        padded = whisper.pad_or_trim(samples)
        return torch.from_numpy(extractor._torch_extract_fbank_features(padded[None])[0]).T

    def encode(self, x: Tensor) -> Tensor:
        encoder_out: Tensor = self.model.model.encoder(x.T[None]).last_hidden_state
        return encoder_out[0]

    def logits(self, encoder_out: Tensor) -> Tensor:
        return _hub_logits(self.model, encoder_out)


def hub_dims(size: Size) -> dict[str, int]:
    """By their names in config.json."""
    return {
        "vocab_size": size.n_vocab,
        "d_model": size.width,
        "encoder_layers": size.encoder_layers,
        "decoder_layers": size.decoder_layers,
        "encoder_attention_heads": size.heads,
        "decoder_attention_heads": size.heads,
        "encoder_ffn_dim": 4 * size.width,
        "decoder_ffn_dim": 4 * size.width,
        "num_mel_bins": size.n_mels,
        "max_source_positions": WINDOW,
        "max_target_positions": CONTEXT,
    }


class HubMoonshine:
    """That of transformers."""

    name = "transformers"

    def __init__(self, width: int, layers: int, share: float) -> None:
        self.model: Peer = hub_moonshine(
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
        calm(self.model, layers, layers)

    def save(self, folder: Path) -> Path:
        save(self.model, folder)
        write_tokenizer(folder, self.model.config.vocab_size)
        return folder

    def features(self, samples: Samples) -> Tensor:
        return torch.from_numpy(samples)[:, None]

    def encode(self, x: Tensor) -> Tensor:
        encoder_out: Tensor = self.model.model.encoder(x.T).last_hidden_state
        return encoder_out[0]

    def logits(self, encoder_out: Tensor) -> Tensor:
        return _hub_logits(self.model, encoder_out)


def _hub_logits(model: Peer, encoder_out: Tensor) -> Tensor:
    output = transformers.models.moonshine.modeling_moonshine.MoonshineEncoderModelOutput(
        encoder_out[None]
    )
    logits: Tensor = model(encoder_outputs=output, decoder_input_ids=TOKENS).logits
    return logits[0]


def calm(model: Peer, encoder_layers: int, decoder_layers: int) -> None:
    """Scale matrices so that the last of many layers still tells sounds and tokens apart.

    What all layers add to a frame or a token is together about as large as what was there before
    them: else what they add to each alike, by biases and by means over the window, drowns it. And
    attention chooses: else it is such a mean, and nearly the same for all.
    """
    torch.manual_seed(1)
    added = {"encoder": 0.2 * encoder_layers**-0.5, "decoder": 0.05 * decoder_layers**-0.5}
    for name, weight in model.named_parameters():
        kind = name.rpartition(".")[0]
        if weight.dim() > 1 and "embed" not in name:
            weight.normal_(std=weight[0].numel() ** -0.5)
            weight.mul_(2 if kind.endswith(("q_proj", "k_proj", "query", "key")) else 1)
        if kind.endswith(("out_proj", "o_proj", "attn.out", "fc2", "mlp.2")):
            weight.mul_(added["encoder" if "encoder." in name else "decoder"])


def skip_without_memory(weights: int) -> None:
    """There is one model at a time; the file is written and read through the system's cache."""
    needed = weights * 5 // 4 + 2**30
    found = (
        re.search(r"MemAvailable:\s+(\d+) kB", MEMINFO.read_text()) if MEMINFO.exists() else None
    )
    if found is not None and int(found[1]) * 1024 < needed:
        pytest.skip(f"needs {needed >> 20} MiB, {int(found[1]) >> 10} are free")
