"""Reads folders of CTranslate2, as faster-whisper does: Whisper's weights by other names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from auricle.config import TransformerConfig
from auricle.families.description import Description
from auricle.families.folder import CONFIG, MODEL_BIN, folder_of, is_ct2
from auricle.families.parts import Source, Sources, WeightPart
from auricle.families.published import Published, configured
from auricle.families.whisper.config import configure
from auricle.families.whisper.ct2_weights import Ct2Weights
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.tokenizer.folder import folder_tokenizer
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    UnknownArchitectureError,
    UnknownModelError,
)

_EMBEDDING, _PROJECTION = "decoder/embeddings/weight", "decoder/projection/weight"
_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/.*")
_MOST_LAYERS = 1_000  # Whisper has 32
_ATTRIBUTES = {  # what they must be; others must be 0 or do not matter
    "decoder/activation": 3,  # GELU
    "decoder/pre_norm": 1,
    "decoder/scale_embeddings": 0,
}
_HEADS = ("encoder/num_heads", "decoder/num_heads")
_IDLE = (  # of the attributes: nothing that is on uses them
    *("decoder/alignment_heads", "decoder/alignment_layer"),
    *("decoder/alibi_use_positive_positions", "decoder/scale_alibi"),
)


@dataclass(frozen=True, slots=True)
class Ct2Folder:
    """The contents of such a folder, in the terms of a folder of the Hub."""

    description: Description
    weights: Ct2Weights
    tokenizer: WhisperTokenizer

    @classmethod
    def read(cls, folder: Path) -> "Ct2Folder":
        """Read all but the weights themselves.

        Raises:
            UnknownModelError: `model.bin` or `config.json` is missing.
            TokenizerMissingError: there is no vocabulary.
            CorruptCheckpointError: a file is damaged.
            CheckpointMismatchError: weights that every Whisper has are missing.
            UnknownArchitectureError: it is no Whisper, of another version, or computed otherwise.
        """
        for name in (MODEL_BIN, CONFIG):
            if not (folder / name).is_file():
                raise UnknownModelError(
                    f"no {name} in {folder}: a folder of CTranslate2 needs {MODEL_BIN}, {CONFIG} "
                    "and tokenizer.json or vocabulary.json"
                )
        weights = Ct2Weights(folder / MODEL_BIN)
        tokenizer = folder_tokenizer(folder, WhisperTokenizer)
        about = Description.of(folder)
        _check_attributes(about.name, weights)
        dimensions = _dimensions(about.name, weights)
        generation = _generation(about, tokenizer)
        return cls(replace(about, config=dimensions, generation=generation), weights, tokenizer)


class Ct2Format:
    """A `FileFormat`: a folder with `model.bin`, or one of its files."""

    suffix = ""

    def holds(self, path: Path) -> bool:
        """Go by the files in the folder."""
        return path.suffix != ".safetensors" and is_ct2(folder_of(path))

    def read(self, path: Path) -> Published:
        """Read all but the weights; raises as `Ct2Folder.read`."""
        found = Ct2Folder.read(folder_of(path))
        config = configured(configure, found.description)
        return Published(
            config, sources(config.transformer), found.weights, lambda: found.tokenizer
        )


def _check_attributes(name: str, weights: Ct2Weights) -> None:
    """Raises UnknownArchitectureError where something is computed that our blocks do not do."""
    missing = dict.fromkeys(_ATTRIBUTES, 0.0)
    faults = [
        f"{attribute} is {value:g}, not {_ATTRIBUTES.get(attribute, 0)}"
        for attribute, value in sorted({**missing, **weights.attributes}.items())
        if attribute not in (*_HEADS, *_IDLE) and value != _ATTRIBUTES.get(attribute, 0)
    ]
    if faults:
        raise UnknownArchitectureError(
            f"{name}: {MODEL_BIN} is not computed as Whisper is: {', '.join(faults)}; where it "
            "is an old one, convert the model again"
        )


def _dimensions(name: str, weights: Ct2Weights) -> dict[str, Any]:
    """Return the dimensions under their names in the Hub's config.json."""

    def size(weight: str, rank: int, axis: int) -> int:
        shape = weights.shapes.get(weight, ())
        if len(shape) != rank:
            raise CheckpointMismatchError(
                f"{name}: {MODEL_BIN} has no {weight} of {rank} dimensions: convert the model again"
            )
        return shape[axis]

    sides: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        sides[f"{side}_layers"] = _layers(name, side, weights)
        sides[f"{side}_attention_heads"] = _heads(name, side, weights)
        sides[f"{side}_ffn_dim"] = size(f"{side}/layer_0/ffn/linear_0/weight", 2, 0)
    return {
        "model_type": "whisper",
        "vocab_size": size(_EMBEDDING, 2, 0),
        "d_model": size(_EMBEDDING, 2, 1),
        "num_mel_bins": size("encoder/conv1/weight", 3, 1),
        "max_source_positions": size("encoder/position_encodings/encodings", 2, 0),
        "max_target_positions": size("decoder/position_encodings/encodings", 2, 0),
        "tie_word_embeddings": weights.is_alias(_PROJECTION, _EMBEDDING),
        **sides,
    }


def _layers(name: str, side: str, weights: Ct2Weights) -> int:
    found = (_LAYER.fullmatch(weight) for weight in weights.shapes)
    numbers = {match[2] for match in found if match and match[1] == side}
    if len(numbers) > _MOST_LAYERS:
        raise UnknownArchitectureError(
            f"{name}: {len(numbers)} layers in the {side}: no Whisper has more than {_MOST_LAYERS}"
        )
    return len(numbers)


def _heads(name: str, side: str, weights: Ct2Weights) -> int:
    value = weights.attributes.get(f"{side}/num_heads", 0.0)
    if value < 1 or value != int(value):
        raise CorruptCheckpointError(
            f"{name}: {side}/num_heads in {MODEL_BIN} must be a number of heads, not {value:g}: "
            "copy it again"
        )
    return int(value)


def _generation(about: Description, tokenizer: WhisperTokenizer) -> dict[str, Any]:
    """Build what the Hub's generation_config.json says from the vocabulary and config.json.

    `lang_ids` there is ignored: that of Whisper tiny.en, which knows none, has 98. Nor is
    `suppress_ids_begin` read: no Whisper begins with a space or END, whatever its files say.
    """
    generation: dict[str, Any] = {
        "decoder_start_token_id": tokenizer.start,
        "eos_token_id": tokenizer.end,
        "no_timestamps_token_id": tokenizer.no_timestamps,
        "suppress_tokens": _ids(about, "suppress_ids"),
        "alignment_heads": about.config.get("alignment_heads"),
    }
    if tokenizer.multilingual:
        generation["lang_to_id"] = {
            f"<|{code}|>": token for code, token in tokenizer.languages.items()
        }
        generation["task_to_id"] = {
            task: tokenizer.task(task) for task in ("translate", "transcribe")
        }
    return generation


def _ids(about: Description, name: str) -> list[int]:
    value = about.config.get(name) or []
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise CorruptCheckpointError(
            f"{about.name}: {name} in {CONFIG} must be a list of tokens, not {value!r}"
        )
    return value


def sources(config: TransformerConfig) -> Sources:
    """Say which of its variables make up each of our weights.

    Queries, keys and values of self-attention lie in one matrix, keys and values of
    cross-attention in another, as ours do; where keys have no bias, zeros stand for it.
    """
    return dict(
        chain(
            _linear("encoder.subsampling.convs.0", "encoder/conv1"),
            _linear("encoder.subsampling.convs.1", "encoder/conv2"),
            *(_side(side, number) for side, number in _blocks(config)),
            *(_cross(number) for number in range(config.decoder_layers)),
            *(_ends(side) for side in ("encoder", "decoder")),
            [_one("decoder.embedding.weight", _EMBEDDING)],
            [] if config.tied else [_one("decoder.unembedding.weight", _PROJECTION)],
        )
    )


def _blocks(config: TransformerConfig) -> Iterator[tuple[str, int]]:
    for side, count in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        yield from ((side, number) for number in range(count))


def _ends(side: str) -> Iterator[tuple[str, Source]]:
    yield _one(f"{side}.placement.table.weight", f"{side}/position_encodings/encodings")
    yield from _norm(f"{side}.norm", f"{side}/layer_norm")


def _side(side: str, number: int) -> Iterator[tuple[str, Source]]:
    ours, theirs = f"{side}.layers.{number}", f"{side}/layer_{number}"
    yield from _norm(f"{ours}.attention_norm", f"{theirs}/self_attention/layer_norm")
    yield from _linear(f"{ours}.attention.qkv", f"{theirs}/self_attention/linear_0")
    yield from _linear(f"{ours}.attention.out", f"{theirs}/self_attention/linear_1")
    yield from _norm(f"{ours}.ffn_norm", f"{theirs}/ffn/layer_norm")
    yield from _linear(f"{ours}.ffn.0", f"{theirs}/ffn/linear_0")
    yield from _linear(f"{ours}.ffn.2", f"{theirs}/ffn/linear_1")


def _cross(number: int) -> Iterator[tuple[str, Source]]:
    ours, theirs = f"decoder.layers.{number}", f"decoder/layer_{number}/attention"
    yield from _norm(f"{ours}.cross_norm", f"{theirs}/layer_norm")
    parts = ("query", "key_value", "out")
    for place, part in enumerate(parts):
        yield from _linear(f"{ours}.cross_attention.{part}", f"{theirs}/linear_{place}")


def _linear(ours: str, theirs: str) -> Iterable[tuple[str, Source]]:
    return (_one(f"{ours}.{kind}", f"{theirs}/{kind}") for kind in ("weight", "bias"))


def _norm(ours: str, theirs: str) -> Iterable[tuple[str, Source]]:
    return (
        _one(f"{ours}.weight", f"{theirs}/gamma"),
        _one(f"{ours}.bias", f"{theirs}/beta"),
    )


def _one(ours: str, theirs: str) -> tuple[str, Source]:
    return ours, (WeightPart(theirs),)
