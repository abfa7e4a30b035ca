"""Loads a model from its path: a published model in one of several formats, or a file of ours."""

import math
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import torch

from auricle.checkpoint import (
    Checkpoint,
    Shapes,
    check_vocabulary,
    is_ours,
    load_checkpoint,
    read_header,
)
from auricle.config import ModelConfig
from auricle.families import family_names, family_of
from auricle.families.description import Description
from auricle.families.family import HubMapping
from auricle.families.folder import CONFIG, INDEX, MODEL, MODEL_BIN, SHARDS, folder_of
from auricle.families.loading import build
from auricle.families.published import FileFormat, Published, configured
from auricle.families.weights import SafetensorsWeights, weight_files
from auricle_types.errors import InvalidOptionError, UnknownArchitectureError, UnknownModelError
from auricle_types.options import AudioContext


def load_pretrained(
    path: Path,
    *,
    dtype: torch.dtype = torch.float32,
    audio_context: AudioContext | None = None,
    lm: Path | None = None,
) -> Checkpoint:
    """Load a model, its weights as `dtype` on the CPU.

    Args:
        path: a folder with config.json, model.safetensors (or its shards) and tokenizer.json; one
            of CTranslate2, as faster-whisper reads it, with model.bin instead; one of OpenAI's
            `.pt` files; or a checkpoint of our own.
        dtype: of the weights, whatever it is in the file.
        audio_context: `full` encodes the whole window always, `auto` what there is; None: `auto`
            where the model was taught to do with that.
        lm: the file of a language model, for a checkpoint of our own; by default the one beside it.

    Raises:
        UnknownModelError: there is no model.
        UnknownArchitectureError: it is of a kind that is not known here.
        CorruptCheckpointError: it is truncated or damaged.
        UnsafeCheckpointError: it holds code.
        CheckpointMismatchError: its parts contradict each other.
        TokenizerMissingError: it comes without a vocabulary.
        InvalidOptionError: a language model for a model of others.
    """
    checkpoint = _load(path, dtype, lm)
    model = checkpoint.model
    context = audio_context or family_of(model.config.family).usual_context(model.config)
    model.config = replace(model.config, audio_context=context)
    return checkpoint


def describe(path: Path) -> tuple[ModelConfig, int]:
    """Return a model's dimensions and the number of its parameters; no weight is read.

    Tokens that only the vocabulary suppresses are left out, except for a folder of CTranslate2,
    whose tokens nothing else names. Raises what `load_pretrained` raises.
    """
    config, shapes = _header(path) if _is_published(path) else read_header(path)
    return config, sum(math.prod(shape) for shape in shapes.values())


def _header(path: Path) -> tuple[ModelConfig, Shapes]:
    published = _published(path)
    shapes = published.weights.shapes
    used = {part.name for source in published.sources.values() for part in source}
    return published.config, {name: shape for name, shape in shapes.items() if name in used}


def _load(path: Path, dtype: torch.dtype, lm: Path | None) -> Checkpoint:
    if not _is_published(path):
        return load_checkpoint(path, lm, dtype=dtype)
    if lm is not None:
        raise InvalidOptionError(f"lm {lm}: language models are for models of our own")
    published = _published(path)
    config, tokenizer = published.config, published.tokenizer()
    if published.suppresses_by_vocabulary:
        suppressed = {*config.tokens.suppressed, *tokenizer.special.suppressed}
        tokens = replace(config.tokens, suppressed=tuple(sorted(suppressed)))
        config = replace(config, tokens=tokens)
    check_vocabulary(config.name, config, tokenizer)
    return Checkpoint(build(config, published.sources, published.weights, dtype), tokenizer)


def _is_published(path: Path) -> bool:
    return path.is_dir() or _is_single_file(path) or _is_part(path)


def _is_single_file(path: Path) -> bool:
    return path.is_file() and path.suffix in {each.suffix for each in _formats() if each.suffix}


def _is_part(path: Path) -> bool:
    """Whether it is one of the files that make up a folder's model."""
    if path.name == MODEL_BIN and path.is_file():
        return True
    parts = path.suffix == ".safetensors" or path.name in (CONFIG, INDEX)
    return parts and path.is_file() and (path.parent / CONFIG).is_file() and not is_ours(path)


def _formats() -> Iterator[FileFormat]:
    for name in family_names():
        yield from family_of(name).formats


def _published(path: Path) -> Published:
    for each in _formats():
        if each.holds(path):
            return each.read(path)
    return _in_folder(path)


def _in_folder(path: Path) -> Published:
    """Read a folder as the Hub has it, or the folder of one of its files."""
    folder = folder_of(path)
    if not (folder / CONFIG).is_file():
        raise UnknownModelError(f"no {CONFIG} in {folder}: give the folder of a model")
    about = Description.of(folder)
    hub = _hub_mapping(about)
    config = configured(hub.configure, about)
    sources, tokenizer = hub.sources(config.transformer), partial(hub.tokenizer, folder)
    return Published(config, sources, _weights(path), tokenizer)


def _weights(path: Path) -> SafetensorsWeights:
    """Take the folder's weights; any other file of weights is taken by its name."""
    names = (CONFIG, INDEX, MODEL)
    if path.is_dir() or path.name in names or fnmatch(path.name, SHARDS):
        return SafetensorsWeights(weight_files(folder_of(path)))
    return SafetensorsWeights([path])


def _hub_mapping(about: Description) -> HubMapping:
    families = {name: family_of(name) for name in family_names() if family_of(name).hub}
    known = families.get(about.architecture)
    if known is None or known.hub is None:
        names = ", ".join(f"{name} ({family.models})" for name, family in families.items())
        raise UnknownArchitectureError(
            f"{about.name} is of the architecture {about.architecture!r}; known are {names}"
        )
    return known.hub
