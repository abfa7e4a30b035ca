"""A published model from where it lies: a folder of the Hub or of CTranslate2, OpenAI's file, or
our own.
"""

import math
from dataclasses import dataclass, replace
from fnmatch import fnmatch
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
from auricle.families.ctranslate2 import MODEL_BIN, Ct2Folder, is_ct2
from auricle.families.ctranslate2 import sources as ct2_sources
from auricle.families.description import CONFIG, Description
from auricle.families.family import Family
from auricle.families.loading import build
from auricle.families.moonshine import MOONSHINE
from auricle.families.openai import OpenAiFile, openai_name, vocabulary
from auricle.families.parts import Sources, renamed
from auricle.families.weights import (
    INDEX,
    MODEL,
    SHARDS,
    SafetensorsWeights,
    Weights,
    weight_files,
)
from auricle.families.whisper import WHISPER
from auricle.tokenizer import Vocabulary
from auricle.tokenizer.folder import TOKENIZER, folder_tokenizer
from auricle.tokenizer.openai import openai_tokenizer
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
    UnknownArchitectureError,
    UnknownModelError,
)
from auricle_types.options import AudioContext

FAMILIES = {family.name: family for family in (WHISPER, MOONSHINE)}


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
    _listen(checkpoint, audio_context)
    return checkpoint


def describe(path: Path) -> tuple[ModelConfig, int]:
    """A model's dimensions, and its parameters, counted; no weight is read.

    Tokens that are silent by the vocabulary alone are not told: it is looked into for CTranslate2's
    folders only, whose tokens nothing else names. Raises what `load_pretrained` raises.
    """
    config, shapes = _header(path) if _is_published(path) else read_header(path)
    return config, sum(math.prod(shape) for shape in shapes.values())


def _header(path: Path) -> tuple[ModelConfig, Shapes]:
    published = _published(path)
    shapes = published.weights.shapes
    used = {part.name for source in published.sources.values() for part in source}
    return published.config, {name: shape for name, shape in shapes.items() if name in used}


@dataclass(frozen=True, slots=True)
class _Published:
    """A model of others, before its weights are read."""

    config: ModelConfig
    sources: Sources
    weights: Weights

    def build(self, tokenizer: Vocabulary, dtype: torch.dtype) -> Checkpoint:
        check_vocabulary(self.config.name, self.config, tokenizer)
        return Checkpoint(build(self.config, self.sources, self.weights, dtype), tokenizer)


def _published(path: Path) -> _Published:
    if _is_openais(path):
        return _openais(path)
    if _is_ct2(path):
        return _of_ct2(Ct2Folder.read(_folder(path)))
    return _in_folder(path)


def _load(path: Path, dtype: torch.dtype, lm: Path | None) -> Checkpoint:
    if not _is_published(path):
        return load_checkpoint(path, lm, dtype=dtype)
    if lm is not None:
        raise InvalidOptionError(f"lm {lm}: language models are for models of our own")
    if _is_openais(path):
        return _load_openai(path, dtype)
    if _is_ct2(path):
        found = Ct2Folder.read(_folder(path))
        return _of_ct2(found).build(found.tokenizer, dtype)
    published = _in_folder(path)
    whisper = published.config.family == WHISPER.name
    return published.build(folder_tokenizer(_folder(path), whisper=whisper), dtype)


def _is_published(path: Path) -> bool:
    return path.is_dir() or _is_openais(path) or _is_part(path)


def _is_openais(path: Path) -> bool:
    return path.suffix == ".pt" and path.is_file()


def _is_ct2(path: Path) -> bool:
    return path.suffix != ".safetensors" and is_ct2(_folder(path))


def _is_part(path: Path) -> bool:
    """Whether it is one of the files that make up a folder's model."""
    if path.name == MODEL_BIN and path.is_file():
        return True
    parts = path.suffix == ".safetensors" or path.name in (CONFIG, INDEX)
    return parts and path.is_file() and (path.parent / CONFIG).is_file() and not is_ours(path)


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _weights(path: Path) -> SafetensorsWeights:
    """The folder's; another file of weights than those is taken by its name."""
    names = (CONFIG, INDEX, MODEL)
    if path.is_dir() or path.name in names or fnmatch(path.name, SHARDS):
        return SafetensorsWeights(weight_files(_folder(path)))
    return SafetensorsWeights([path])


def _listen(checkpoint: Checkpoint, asked: AudioContext | None) -> None:
    model = checkpoint.model
    context = asked or _usual_context(model.config)
    model.config = replace(model.config, audio_context=context)


def _usual_context(config: ModelConfig) -> AudioContext:
    """For Whisper what its weights were taught, for others what they were made for."""
    if config.family != WHISPER.name:
        return config.audio_context
    return "auto" if config.short_context else "full"


def _in_folder(path: Path) -> _Published:
    """Of a folder, or of one of its files."""
    folder = _folder(path)
    if not (folder / CONFIG).is_file():
        raise UnknownModelError(f"no {CONFIG} in {folder}: give the folder of a model")
    about = Description.of(folder)
    family = _family(about)
    config = _configured(family, about)
    return _Published(config, family.sources(config.transformer), _weights(path))


def _of_ct2(folder: Ct2Folder) -> _Published:
    config = _configured(WHISPER, folder.description)
    return _Published(config, ct2_sources(config.transformer), folder.weights)


def _openais(path: Path) -> _Published:
    file = OpenAiFile.read(path)
    config = _configured(WHISPER, file.description)
    sources = renamed(WHISPER.sources(config.transformer), openai_name)
    return _Published(config, sources, file.weights)


def _load_openai(path: Path, dtype: torch.dtype) -> Checkpoint:
    published = _openais(path)
    config = published.config
    tokenizer = _openai_vocabulary(path, config)
    silent = tuple(sorted({*config.tokens.silent, *tokenizer.special.silent}))
    config = replace(config, tokens=replace(config.tokens, silent=silent))
    return replace(published, config=config).build(tokenizer, dtype)


def _openai_vocabulary(path: Path, config: ModelConfig) -> Vocabulary:
    """Of a `tokenizer.json` beside the file, or of the package that made it."""
    if (path.parent / TOKENIZER).is_file():
        return folder_tokenizer(path.parent, whisper=True)
    kind = vocabulary(config.transformer.vocab_size)
    return openai_tokenizer(multilingual=kind.multilingual, languages=kind.languages)


def _family(about: Description) -> Family:
    known = FAMILIES.get(about.architecture)
    if known is None:
        names = ", ".join(f"{name} ({family.models})" for name, family in FAMILIES.items())
        raise UnknownArchitectureError(
            f"{about.name} is of the architecture {about.architecture!r}; known are {names}"
        )
    return known


def _configured(family: Family, about: Description) -> ModelConfig:
    try:
        config = family.configure(about)
        strangers = _strangers(config)
    except (InvalidOptionError, ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{about.name}: {CONFIG} or generation_config.json describes no model that can be "
            f"({error}): copy them again"
        ) from error
    if strangers:
        raise CheckpointMismatchError(
            f"{about.name}: tokens {strangers} are beyond its vocabulary of "
            f"{config.transformer.vocab_size}: take generation_config.json and {CONFIG} from the "
            "same model"
        )
    return config


def _strangers(config: ModelConfig) -> list[int]:
    """Special tokens that the vocabulary has no room for."""
    tokens = (*config.tokens.start, config.tokens.end, *config.tokens.silent)
    return sorted({token for token in tokens if not 0 <= token < config.transformer.vocab_size})
