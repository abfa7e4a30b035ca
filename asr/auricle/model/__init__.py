"""The masked Transformer: `x, x_lens -> encoder_out, encoder_out_lens -> logits`.

Shapes use one alphabet: `B` batch, `S` samples, `T` feature frames, `N` encoder frames, `U`
tokens, `D` model width, `H` heads, `V` vocabulary.
"""

from auricle.model.decoder import Decoder
from auricle.model.decoder_cache import DecoderCache
from auricle.model.encoder import Encoder
from auricle.model.masks import length_mask
from auricle.model.new_cache import new_cache
from auricle.model.transformer import SpeechTransformer, is_finite, skeleton

__all__ = [
    "Decoder",
    "DecoderCache",
    "Encoder",
    "SpeechTransformer",
    "is_finite",
    "length_mask",
    "new_cache",
    "skeleton",
]
