"""The vocabulary of a whole model, made shorter: in a small model it is most of the weights."""

from dataclasses import replace

import torch
from torch import Tensor

from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.model import SpeechTransformer
from auricle.tokenizer.cut import VocabularyCut, cut_vocabulary
from auricle.tokenizer.whisper import WhisperTokenizer
from auricle_types.errors import InvalidOptionError

_BY_TOKEN = ("decoder.embedding.weight", "decoder.unembedding.weight")


def with_merges(checkpoint: Checkpoint, merges: int) -> Checkpoint:
    """A model that knows the first `merges` of its vocabulary only; other weights are shared.

    It can still write everything, in more tokens. Raises InvalidOptionError where it is no Whisper
    model, or has no so many merges.
    """
    if not isinstance(checkpoint.tokenizer, WhisperTokenizer):
        raise InvalidOptionError("vocabulary can be cut of Whisper models only: leave it out")
    cut = cut_vocabulary(checkpoint.tokenizer, merges)
    with torch.device("meta"):  # dimensions only; the weights follow
        model = SpeechTransformer(_config(checkpoint.model.config, cut))
    model.load_state_dict(_weights(checkpoint.model, cut), assign=True)
    return Checkpoint(model.eval(), cut.tokenizer)


def _weights(model: SpeechTransformer, cut: VocabularyCut) -> dict[str, Tensor]:
    weights, rows = model.state_dict(), torch.tensor(cut.kept)
    return weights | {name: weights[name][rows] for name in _BY_TOKEN if name in weights}


def _config(config: ModelConfig, cut: VocabularyCut) -> ModelConfig:
    number = {old: new for new, old in enumerate(cut.kept)}
    tokens = config.tokens
    silent = {number[token] for token in tokens.silent if token in number}
    return replace(
        config,
        tokens=replace(
            tokens,
            start=tuple(number[token] for token in tokens.start),
            end=number[tokens.end],
            silent=tuple(sorted(silent | set(cut.tokenizer.special.silent))),
        ),
        transformer=replace(config.transformer, vocab_size=len(cut.kept)),
    )
