"""The work that all benchmarks share: seeded utterances, and a random model that never says END."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sentencepiece import sentencepiece_model_pb2 as spm

from auricle.checkpoint import Checkpoint
from auricle.config import SAMPLE_RATE, ModelConfig, TransformerConfig, strided
from auricle.model import SpeechTransformer
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions

ATTENTION = DecodingOptions(ctc_weight=0.0, guards=False)  # a random CTC head has nothing to say
VOCAB_SIZE = 51_865  # Whisper's
WINDOW_SECONDS = 30.0
WHISPER_TINY = TransformerConfig(
    vocab_size=VOCAB_SIZE,
    d_model=384,
    n_heads=6,
    encoder_layers=4,
    decoder_layers=4,
    ffn_dim=1536,
    stem=strided(1, 2),
    conv_kernel=0,
    positions="sinusoidal",
    dropout=0.0,
)
SMOKE = replace(  # the same vocabulary and stem, little between them
    WHISPER_TINY, d_model=64, n_heads=2, encoder_layers=1, decoder_layers=1, ffn_dim=64
)


@dataclass(frozen=True, slots=True)
class Workload:
    """Utterances of noise, uniform in length, each decoded to exactly `tokens` tokens."""

    utterances: int = 64
    shortest: float = 2.0  # seconds
    longest: float = 15.0
    tokens: int = 32
    seed: int = 0

    def samples(self) -> list[npt.NDArray[np.float32]]:
        """The waveforms, `(S_i,)` at 16 kHz."""
        random = np.random.default_rng(self.seed)
        lengths = random.uniform(self.shortest, self.longest, self.utterances) * SAMPLE_RATE
        return [_noise(random, round(length)) for length in lengths]

    @property
    def seconds(self) -> float:
        """Audio in all utterances together, silence not counted."""
        return sum(len(each) for each in self.samples()) / SAMPLE_RATE


FULL = Workload()
QUICK = Workload(utterances=4, shortest=0.3, longest=0.8, tokens=4)


def padded(waveforms: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """With silence up to the window: what a fixed context makes of them."""
    whole = round(WINDOW_SECONDS * SAMPLE_RATE)
    return [np.pad(each, (0, whole - len(each))) for each in waveforms]


def _noise(random: np.random.Generator, samples: int) -> npt.NDArray[np.float32]:
    return (0.1 * random.standard_normal(samples)).astype(np.float32)


def exactly(tokens: int | None) -> DecodingOptions:
    """As many tokens of a random model; None: as a recogniser decodes by default."""
    return DecodingOptions() if tokens is None else replace(ATTENTION, max_tokens=tokens)


def talker(transformer: TransformerConfig, seed: int = 0) -> Checkpoint:
    """A random model that never says END, with a vocabulary of invented words."""
    torch.manual_seed(seed)
    config = ModelConfig(name="random", window_seconds=WINDOW_SECONDS, transformer=transformer)
    model = SpeechTransformer(config).eval()
    _never_end(model)
    return Checkpoint(model, vocabulary(transformer.vocab_size))


@torch.no_grad()
def _never_end(model: SpeechTransformer) -> None:
    """Make END's logit hopeless by weights alone: the code under measurement stays as it is.

    The last norm's first output becomes the constant 1, which only END's embedding weighs.
    """
    decoder = model.decoder
    decoder.norm.weight[0] = 0.0
    decoder.norm.bias[0] = 1.0
    decoder.embedding.weight[:, 0] = 0.0
    decoder.embedding.weight[Tokenizer.end_id, 0] = -1e4


def vocabulary(size: int) -> Tokenizer:
    """A tokenizer of `size` pieces: the special ones, then words that are their numbers."""
    piece = spm.ModelProto.SentencePiece
    special = {"<pad>": piece.CONTROL, "<s>": piece.CONTROL, "</s>": piece.CONTROL}
    model = spm.ModelProto()
    for name, kind in {**special, "<unk>": piece.UNKNOWN}.items():
        model.pieces.add(piece=name, score=0.0, type=kind)
    for number in range(len(model.pieces), size):
        model.pieces.add(piece=f"▁w{number}", score=0.0)
    model.trainer_spec.pad_id, model.trainer_spec.bos_id = Tokenizer.blank_id, Tokenizer.start_id
    model.trainer_spec.eos_id, model.trainer_spec.unk_id = Tokenizer.end_id, Tokenizer.unknown_id
    return Tokenizer(model.SerializeToString())
