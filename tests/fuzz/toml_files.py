"""TOML by hand: recipes of training, and the settings of the command."""

import functools
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import click

from auricle.training.config import load_training_config
from auricle_cli.failure import Failure
from auricle_cli.main import main
from auricle_cli.settings import read_settings
from auricle_types.errors import AuricleError
from tests.fuzz.mutations import mutated, mutated_value, to_toml

EXPECTED = (AuricleError, Failure)
_RECIPE: dict[str, Any] = {
    "output": "run",
    "seed": 1,
    "device": "cpu",
    "compile": False,
    "data": {"train": ["a.jsonl"], "dev": ["b.jsonl"], "cache": "cache", "max_seconds": 9.0},
    "model": {"name": "m", "window_seconds": 9.0, "vocab_size": 48, "d_model": 8, "n_heads": 2,
              "encoder_layers": 1, "decoder_layers": 1, "subsampling_strides": [2, 2]},
    "features": {"n_mels": 80},
    "optimizer": {"learning_rate": 1e-3, "decay": "cosine", "last_step": 900},
    "loss": {"ctc_weight": 0.3},
    "augmentation": {"noise_kinds": ["white"], "join_pause": [0.1, 1.0], "speeds": [1.0]},
    "schedule": {"epochs": 3, "patience": 1},
    "fresh": {"text": "words.txt", "hours": 1.0, "engines": ["espeak"]},
}  # fmt: skip
_SETTINGS: dict[str, Any] = {
    "serve": {"port": 50051, "host": "0.0.0.0"},
    "transcribe": {"format": "srt", "beam-size": 3},
}


def seeds() -> list[bytes]:
    """One of each."""
    return [_written(_RECIPE), _written(_SETTINGS)]


def _written(tables: dict[str, Any]) -> bytes:
    """A TOML file, a line for each entry."""
    lines = [f"{name} = {to_toml(value)}\n" for name, value in tables.items()]
    return "".join(lines).encode("utf-8", "replace")


def new(seeds: list[bytes], random: Random) -> bytes:
    """Odd values, odd bytes, or both."""
    tables = mutated_value(random.choice((_RECIPE, _RECIPE, _SETTINGS)), random)
    data = _written(tables) if isinstance(tables, dict) else b""
    return mutated(data, seeds, random) if random.random() < 0.3 else data


def attempt(data: bytes) -> None:
    """Read it as both."""
    path = _folder() / "file.toml"
    path.write_bytes(data)
    with suppress(AuricleError):
        load_training_config(path)
    read_settings(path, main, click.Context(main))


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp())
