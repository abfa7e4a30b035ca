"""Shortens the vocabulary of a whole model: in a small model it is most of the weights."""

from dataclasses import replace

import torch
from torch import Tensor

from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.families import family_of
from auricle.families.family import VocabularyCut
from auricle.model import SpeechTransformer
from auricle.tokenizer import Vocabulary
from auricle_types.errors import InvalidOptionError

_BY_TOKEN = ("decoder.embedding.weight", "decoder.unembedding.weight")


def with_merges(checkpoint: Checkpoint, merges: int) -> Checkpoint:
    """Make a model with only the first `merges` of its vocabulary; other weights are shared.

    It can still write everything, in more tokens. Raises InvalidOptionError where its family
    cannot do that, or it has fewer merges.
    """
    cut_vocabulary = family_of(checkpoint.model.config.family).cut_vocabulary
    if cut_vocabulary is None:
        raise InvalidOptionError("vocabulary can be cut of Whisper models only: leave it out")
    cut = cut_vocabulary(checkpoint.tokenizer, merges)
    with torch.device("meta"):  # dimensions only; the weights follow
        model = SpeechTransformer(_config(checkpoint.model.config, cut))
    model.load_state_dict(_weights(checkpoint.model, cut), assign=True)
    return Checkpoint(model.eval(), cut.tokenizer)


def _weights(model: SpeechTransformer, cut: VocabularyCut[Vocabulary]) -> dict[str, Tensor]:
    weights, rows = model.state_dict(), torch.tensor(cut.kept)
    return weights | {name: weights[name][rows] for name in _BY_TOKEN if name in weights}


def _config(config: ModelConfig, cut: VocabularyCut[Vocabulary]) -> ModelConfig:
    number = {old: new for new, old in enumerate(cut.kept)}
    tokens = config.tokens
    suppressed = {number[token] for token in tokens.suppressed if token in number}
    return replace(
        config,
        tokens=replace(
            tokens,
            start=tuple(number[token] for token in tokens.start),
            end=number[tokens.end],
            suppressed=tuple(sorted(suppressed | set(cut.tokenizer.special.suppressed))),
        ),
        transformer=replace(config.transformer, vocab_size=len(cut.kept)),
    )
