"""Saved is loaded; a file that is damaged, or of another model, has its error."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from auricle.language_model import (
    NGramModel,
    load_language_model,
    path_beside,
    save_language_model,
)
from auricle.language_model.file import HEADER_KEY, Arrays
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    ModelError,
    UnknownModelError,
)
from tests.asr.language_models import random_model
from tests.asr.tiny import VOCAB_SIZE, tiny_tokenizer


def model_of_tiny() -> NGramModel:
    return random_model(3, vocab_size=VOCAB_SIZE, order=3, share=0.1)[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.lm.safetensors"
    save_language_model(path, model_of_tiny(), tiny_tokenizer())
    return path


@pytest.fixture
def rewrite(path: Path) -> Callable[..., Path]:
    """Writes the file with changed arrays, or another header."""

    def rewrite(change: Callable[[Arrays], object] = lambda arrays: None, **header: object) -> Path:
        arrays = load_file(path)
        change(arrays)
        with safe_open(path, framework="numpy") as file:
            old = json.loads(file.metadata()[HEADER_KEY])
        save_file(arrays, path, metadata={HEADER_KEY: json.dumps(old | header)})
        return path

    return rewrite


def test_saved_is_loaded(path: Path) -> None:
    saved, loaded = model_of_tiny(), load_language_model(path, tiny_tokenizer())
    for name in NGramModel.__slots__:
        before, after = getattr(saved, name), getattr(loaded, name)
        assert np.array_equal(before, after), name
        assert np.asarray(before).dtype == np.asarray(after).dtype


def test_the_same_model_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_language_model(again, load_language_model(path, tiny_tokenizer()), tiny_tokenizer())
    assert again.read_bytes() == path.read_bytes()


def test_it_lies_beside_the_checkpoint() -> None:
    assert path_beside(Path("a/english.safetensors")) == Path("a/english.lm.safetensors")
    assert path_beside(Path("a/b.v2.safetensors")) == Path("a/b.v2.lm.safetensors")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="auricle lm"):
        load_language_model(tmp_path / "none", tiny_tokenizer())


def test_of_another_tokenizer(path: Path) -> None:
    with pytest.raises(CheckpointMismatchError, match="tokenizer"):
        load_language_model(path, tiny_tokenizer(40))


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_file(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CorruptCheckpointError, match=path.name):
        load_language_model(path, tiny_tokenizer())


def test_another_kind_of_file(path: Path) -> None:
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(CorruptCheckpointError, match="no language model"):
        load_language_model(path, tiny_tokenizer())


def shortened(name: str) -> Callable[[Arrays], object]:
    return lambda arrays: arrays.update({name: arrays[name][:-1]})


def with_value(name: str, place: int | tuple[int, int], value: float) -> Callable[[Arrays], object]:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = value

    return change


def with_type(name: str, dtype: type[np.generic]) -> Callable[[Arrays], object]:
    return lambda arrays: arrays.update({name: arrays[name].astype(dtype)})


@pytest.mark.parametrize("name", ["tokens", "children", "log_probs", "backoffs", "log_prob_books"])
@pytest.mark.parametrize("fault", ["missing", "short"])
def test_arrays_that_are_missing_or_short(
    rewrite: Callable[..., Path], name: str, fault: str
) -> None:
    change = shortened(name) if fault == "short" else lambda arrays: arrays.pop(name)
    with pytest.raises(CorruptCheckpointError, match="damaged"):
        load_language_model(rewrite(change), tiny_tokenizer())


@pytest.mark.parametrize(
    "change",
    [
        with_value("tokens", 100, VOCAB_SIZE),
        with_value("children", 5, 200),
        with_value("log_prob_books", (1, 1), np.nan),
        with_value("backoff_books", (0, 0), np.inf),
        with_type("log_probs", np.uint16),
        with_type("tokens", np.float32),
        with_type("log_prob_books", np.float64),
    ],
)
def test_numbers_that_cannot_be(
    rewrite: Callable[..., Path], change: Callable[[Arrays], object]
) -> None:
    with pytest.raises(CorruptCheckpointError, match="damaged"):
        load_language_model(rewrite(change), tiny_tokenizer())


@pytest.mark.parametrize("order", [1, 2, 4, "many", None])
def test_another_order(rewrite: Callable[..., Path], order: object) -> None:
    with pytest.raises(CorruptCheckpointError, match="damaged"):
        load_language_model(rewrite(order=order), tiny_tokenizer())


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_any_byte_may_be_wrong(
    tmp_path_factory: pytest.TempPathFactory, place: float, byte: int
) -> None:
    """It is noticed, or the model still answers with numbers: nothing reads outside of an array."""
    path = tmp_path_factory.mktemp("damaged") / "lm.safetensors"
    save_language_model(path, model_of_tiny(), tiny_tokenizer())
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] = byte
    path.write_bytes(content)
    try:
        model = load_language_model(path, tiny_tokenizer())
    except ModelError:
        return
    contexts = model.beginning()
    for token in (4, 9, 30, 5):
        contexts = model.extended(contexts, [0], [token])
        assert not np.isnan(model.following(contexts)).any()
