"""A published model from where it lies: a folder of the Hub, OpenAI's file, or our own."""

from dataclasses import replace
from pathlib import Path

import torch

from auricle.checkpoint import Checkpoint, check_vocabulary, is_ours, load_checkpoint
from auricle.config import AudioContext, ModelConfig
from auricle.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
    UnknownArchitectureError,
    UnknownModelError,
)
from auricle.families.description import CONFIG, Description
from auricle.families.family import Family
from auricle.families.loading import build
from auricle.families.moonshine import MOONSHINE
from auricle.families.openai import OpenAiFile, openai_name, vocabulary
from auricle.families.sources import renamed
from auricle.families.weights import folder_weights
from auricle.families.whisper import WHISPER
from auricle.tokenizer import Vocabulary
from auricle.tokenizer.folder import WHOLE, folder_tokenizer
from auricle.tokenizer.openai import openai_tokenizer

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
            of OpenAI's `.pt` files; or a checkpoint of our own.
        dtype: of the weights, whatever it is in the file.
        audio_context: `full` encodes the whole window always, `auto` what there is; None: as the
            model was made for.
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
    if audio_context is not None:
        _listen(checkpoint, audio_context)
    return checkpoint


def _load(path: Path, dtype: torch.dtype, lm: Path | None) -> Checkpoint:
    in_folder = path.is_file() and (path.parent / CONFIG).is_file() and not is_ours(path)
    is_openais = path.suffix == ".pt" and path.is_file()
    if not (path.is_dir() or in_folder or is_openais):
        return load_checkpoint(path, lm, dtype=dtype)
    if lm is not None:
        raise InvalidOptionError(f"lm {lm}: language models are for models of our own")
    if is_openais:
        return _load_openai(path, dtype)
    return _load_folder(path if path.is_dir() else path.parent, dtype)


def _listen(checkpoint: Checkpoint, audio_context: AudioContext) -> None:
    model = checkpoint.model
    model.config = replace(model.config, audio_context=audio_context)


def _load_folder(folder: Path, dtype: torch.dtype) -> Checkpoint:
    if not (folder / CONFIG).is_file():
        raise UnknownModelError(f"no {CONFIG} in {folder}: give the folder of a model")
    about = Description.of(folder)
    family = _family(about)
    config = _configured(family, about)
    tokenizer = folder_tokenizer(folder, whisper=family is WHISPER)
    check_vocabulary(config.name, config, tokenizer)
    weights = folder_weights(folder)
    return Checkpoint(build(config, family.sources(config.transformer), weights, dtype), tokenizer)


def _load_openai(path: Path, dtype: torch.dtype) -> Checkpoint:
    file = OpenAiFile.read(path)
    config = _configured(WHISPER, file.description)
    sources = renamed(WHISPER.sources(config.transformer), openai_name)
    tokenizer = _openai_vocabulary(path, config)
    silent = tuple(sorted({*config.tokens.silent, *tokenizer.special.silent}))
    config = replace(config, tokens=replace(config.tokens, silent=silent))
    return Checkpoint(build(config, sources, file.weights, dtype), tokenizer)


def _openai_vocabulary(path: Path, config: ModelConfig) -> Vocabulary:
    """Of a `tokenizer.json` beside the file, or of the package that made it."""
    if (path.parent / WHOLE).is_file():
        tokenizer: Vocabulary = folder_tokenizer(path.parent, whisper=True)
        check_vocabulary(config.name, config, tokenizer)
        return tokenizer
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
    except (InvalidOptionError, TypeError, AttributeError) as error:
        raise CorruptCheckpointError(
            f"{about.name}: {CONFIG} describes no model that can be ({error})"
        ) from error
    vocab_size = config.transformer.vocab_size
    ids = (*config.tokens.start, config.tokens.end, *config.tokens.silent)
    strangers = sorted({token for token in ids if not 0 <= token < vocab_size})
    if strangers:
        raise CheckpointMismatchError(
            f"{about.name}: tokens {strangers} are beyond its vocabulary of {vocab_size}: "
            f"take generation_config.json and {CONFIG} from the same model"
        )
    return config
