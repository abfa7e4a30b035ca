"""A folder of CTranslate2 as openai-whisper's own model, in float32."""

import re
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor
from whisper.model import ModelDimensions, Whisper

from auricle.families.folder import MODEL_BIN
from auricle.families.whisper.ct2_weights import Ct2Weights
from auricle.families.whisper.ctranslate2 import Ct2Folder

_NAMES = (  # patterns of CTranslate2's names, and what they are there, one after the other
    (r"gamma$", "weight"),
    (r"beta$", "bias"),
    (r"^encoder/layer_norm", "encoder/ln_post"),
    (r"^decoder/layer_norm", "decoder/ln"),
    (r"position_encodings/encodings", "positional_embedding"),
    (r"embeddings", "token_embedding"),
    (r"layer_(\d+)", r"blocks/\1"),
    (r"self_attention/layer_norm", "attn_ln"),
    (r"self_attention/linear_0", "attn/query+key+value"),
    (r"self_attention/linear_1", "attn/out"),
    (r"attention/layer_norm", "cross_attn_ln"),
    (r"attention/linear_0", "cross_attn/query"),
    (r"attention/linear_1", "cross_attn/key+value"),
    (r"attention/linear_2", "cross_attn/out"),
    (r"ffn/layer_norm", "mlp_ln"),
    (r"ffn/linear_0", "mlp/0"),
    (r"ffn/linear_1", "mlp/2"),
)


def openai_model(folder: Path) -> Whisper:
    """The reference implementation with these weights.

    Raises ModelError where the folder cannot be read, RuntimeError where a weight is left over or
    missing.
    """
    model = Whisper(_dimensions(Ct2Folder.read(folder).description.config))
    model.load_state_dict(dict(_weights(Ct2Weights(folder / MODEL_BIN))))
    return model.eval()


def _weights(source: Ct2Weights) -> Iterator[tuple[str, Tensor]]:
    """Keys have no bias there; zeros stand for it in CTranslate2's."""
    for theirs in source.shapes:
        if theirs.startswith("decoder/projection"):
            continue  # the embedding again
        module, _, kind = _renamed(theirs).rpartition("/")
        parent, _, parts = module.rpartition("/")
        names = parts.split("+")
        for name, part in zip(names, source.read(theirs).float().chunk(len(names)), strict=True):
            if (name, kind) != ("key", "bias"):
                yield f"{parent}/{name}/{kind}".strip("/").replace("/", "."), part


def _renamed(name: str) -> str:
    for theirs, there in _NAMES:
        name = re.sub(theirs, there, name)
    return name


def _dimensions(config: dict[str, int]) -> ModelDimensions:
    return ModelDimensions(
        n_mels=config["num_mel_bins"],
        n_audio_ctx=config["max_source_positions"],
        n_audio_state=config["d_model"],
        n_audio_head=config["encoder_attention_heads"],
        n_audio_layer=config["encoder_layers"],
        n_vocab=config["vocab_size"],
        n_text_ctx=config["max_target_positions"],
        n_text_state=config["d_model"],
        n_text_head=config["decoder_attention_heads"],
        n_text_layer=config["decoder_layers"],
    )
