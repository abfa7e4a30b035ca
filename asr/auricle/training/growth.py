"""A deeper model that begins by saying exactly what a shallower one says."""

from collections.abc import Sequence

import torch
from torch import nn

from auricle.model import SpeechTransformer
from auricle.model.decoder import DecoderLayer
from auricle.model.encoder import EncoderLayer

_Layers = Sequence[EncoderLayer] | Sequence[DecoderLayer]


def grow(new: SpeechTransformer, found: SpeechTransformer) -> None:
    """Give `new` the weights of `found`: as many layers or fewer, and else of its dimensions.

    Net2Net's deeper network (Chen, Goodfellow & Shlens 2016) for residual layers: a further layer
    copies the one below it, but for what it adds to x, which is nothing until it has learnt.
    """
    _grow(new.encoder.layers, found.encoder.layers)
    _grow(new.decoder.layers, found.decoder.layers)
    layers = ("encoder.layers.", "decoder.layers.")
    others = {k: weight for k, weight in found.state_dict().items() if not k.startswith(layers)}
    new.load_state_dict(new.state_dict() | others)


def _grow(many: _Layers, few: _Layers) -> None:
    sources = [index * len(few) // len(many) for index in range(len(many))]
    for index, source in enumerate(sources):
        many[index].load_state_dict(few[source].state_dict())
        if index and sources[index - 1] == source:
            _silence(many[index].onto_residual)


@torch.no_grad()
def _silence(outputs: Sequence[nn.Linear]) -> None:
    for output in outputs:
        for parameter in output.parameters():
            parameter.zero_()
