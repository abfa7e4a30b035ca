"""Saved is loaded, and each way in which a file can be wrong has its error."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from auricle.checkpoint import (
    HEADER_KEY,
    TOKENIZER_KEY,
    load_checkpoint,
    save_calibration,
    save_checkpoint,
)
from auricle.config import Calibration
from auricle.language_model import path_beside, save_language_model
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    ModelError,
    UnknownModelError,
)
from tests.asr.language_models import random_model
from tests.asr.tiny import (
    ARCHITECTURES,
    SENTENCES,
    VOCAB_SIZE,
    Positions,
    features,
    tiny_config,
    tiny_model,
    tiny_tokenizer,
    write_tiny_checkpoint,
)

Tensors = dict[str, Tensor]
Header = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_checkpoint(tmp_path)


@pytest.fixture
def rewrite(path: Path) -> Callable[..., Path]:
    """Writes the tiny checkpoint with changed tensors, or another header."""

    def rewrite(
        change: Callable[[Tensors], object] = lambda tensors: None,
        header: object = tiny_config().to_dict(),
    ) -> Path:
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path, metadata={HEADER_KEY: json.dumps(header)})
        return path

    return rewrite


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
@torch.inference_mode()
def test_saved_is_loaded_bit_for_bit(
    tmp_path: Path, positions: Positions, conv_kernel: int
) -> None:
    model = tiny_model(positions, conv_kernel)
    save_checkpoint(tmp_path / "a.safetensors", model, tiny_tokenizer())
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert loaded.model.config == model.config
    assert not loaded.model.training
    weights = loaded.model.state_dict()
    assert weights.keys() == model.state_dict().keys()
    for name, weight in model.state_dict().items():
        assert weights[name].dtype == torch.float32
        assert torch.equal(weights[name], weight), name
    x, x_lens = features(model.config)
    assert torch.equal(loaded.model.encoder(x, x_lens)[0], model.encoder(x, x_lens)[0])
    assert loaded.tokenizer.serialized == tiny_tokenizer().serialized
    assert loaded.tokenizer.encode(SENTENCES[0]) == tiny_tokenizer().encode(SENTENCES[0])


def test_half_precision_is_half_the_size_and_loads_as_float32(path: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.safetensors"
    save_checkpoint(half, tiny_model(), tiny_tokenizer(), torch.bfloat16)
    tokenizer_size = len(tiny_tokenizer().serialized)
    assert half.stat().st_size - tokenizer_size < 0.7 * (path.stat().st_size - tokenizer_size)
    weights = load_checkpoint(half).model.state_dict()
    for name, weight in tiny_model().state_dict().items():
        assert torch.equal(weights[name], weight.bfloat16().float()), name


def test_the_file_describes_itself(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[HEADER_KEY])
    assert header == json.loads(json.dumps(tiny_model().config.to_dict()))


def test_the_same_model_is_the_same_file(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    for _ in range(5):
        save_checkpoint(again, tiny_model(), tiny_tokenizer())
        assert again.read_bytes() == path.read_bytes()


def test_a_calibration_changes_the_header_alone(path: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.safetensors"
    save_checkpoint(half, tiny_model(), tiny_tokenizer(), torch.bfloat16)
    before = load_checkpoint(half)
    save_calibration(half, Calibration(1.5, -0.25))
    after = load_checkpoint(half)
    expected = replace(before.model.config, calibration=Calibration(1.5, -0.25))
    assert after.model.config == expected
    assert after.tokenizer.serialized == before.tokenizer.serialized
    for name, weight in before.model.state_dict().items():
        assert torch.equal(after.model.state_dict()[name], weight), name
    assert half.stat().st_size < 0.9 * path.stat().st_size  # still of half precision
    assert [file.name for file in tmp_path.glob("half*")] == ["half.safetensors"]
    with pytest.raises(UnknownModelError, match=r"nothing\.safetensors"):
        save_calibration(tmp_path / "nothing.safetensors", Calibration())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match=r"nothing\.safetensors"):
        load_checkpoint(tmp_path / "nothing.safetensors")
    with pytest.raises(UnknownModelError):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorruptCheckpointError, match=r"tiny\.safetensors.*copy it again"):
        load_checkpoint(path)


@settings(max_examples=30)
@given(data=st.binary(max_size=200))
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("random") / "random.safetensors"
    path.write_bytes(data)
    with pytest.raises(CorruptCheckpointError):
        load_checkpoint(path)


def test_another_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2, 3)}, path)
    with pytest.raises(CorruptCheckpointError, match="no Auricle checkpoint"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "header",
    [None, [], 3, {}, {"name": "x"}, {**tiny_config().to_dict(), "colour": "red"}],
)
def test_a_header_that_describes_no_model(rewrite: Callable[..., Path], header: object) -> None:
    with pytest.raises(CorruptCheckpointError, match="header does not describe a model"):
        load_checkpoint(rewrite(header=header))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d_model", 0),
        ("d_model", -32),
        ("d_model", 32.0),
        ("d_model", "32"),
        ("n_heads", 0),
        ("n_heads", 5),
        ("subsampling_strides", [0]),
        ("subsampling_strides", 2),
        ("conv_kernel", 4),
        ("conv_kernel", -3),
        ("positions", "alphabetical"),
        ("dropout", 2.0),
        ("colour", "red"),
    ],
)
def test_dimensions_that_no_model_can_have(
    rewrite: Callable[..., Path], name: str, value: object
) -> None:
    header = tiny_config().to_dict()
    header["transformer"][name] = value
    with pytest.raises(CorruptCheckpointError, match="header does not describe a model"):
        load_checkpoint(rewrite(header=header))


@pytest.mark.parametrize(("name", "value"), [("tokenizer", "letters"), ("features", "letters")])
def test_parts_that_its_family_does_not_have(
    rewrite: Callable[..., Path], name: str, value: object
) -> None:
    header = tiny_config().to_dict()
    header[name] = {**header["features"], "kind": value} if name == "features" else value
    with pytest.raises(CorruptCheckpointError, match=r"must be .*, not 'letters'"):
        load_checkpoint(rewrite(header=header))


def test_weights_that_do_not_fit_are_all_named(rewrite: Callable[..., Path]) -> None:
    def change(tensors: Tensors) -> None:
        del tensors["ctc.bias"], tensors["encoder.norm.weight"]
        tensors["stranger"] = torch.zeros(1)
        tensors["ctc.weight"] = torch.zeros(3, 4)

    with pytest.raises(CheckpointMismatchError) as caught:
        load_checkpoint(rewrite(change))
    assert str(caught.value).splitlines()[1:] == [
        "  missing ctc.bias",
        "  missing encoder.norm.weight",
        "  unexpected stranger",
        "  ctc.weight is (3, 4), not (48, 32)",
    ]


def test_dimensions_of_another_model(rewrite: Callable[..., Path]) -> None:
    header = tiny_config().to_dict()
    header["transformer"]["d_model"] = 64
    with pytest.raises(CheckpointMismatchError, match=r"encoder\.norm\.weight is"):
        load_checkpoint(rewrite(header=header))


def test_no_tokenizer(rewrite: Callable[..., Path]) -> None:
    with pytest.raises(CorruptCheckpointError, match="no readable tokenizer"):
        load_checkpoint(rewrite(lambda tensors: tensors.pop(TOKENIZER_KEY)))


@pytest.mark.parametrize("size", [0, 10])
def test_a_damaged_tokenizer(rewrite: Callable[..., Path], size: int) -> None:
    def change(tensors: Tensors) -> None:
        tensors[TOKENIZER_KEY] = torch.full((size,), 255, dtype=torch.uint8)

    with pytest.raises(CorruptCheckpointError, match="no readable tokenizer"):
        load_checkpoint(rewrite(change))


def test_a_tokenizer_of_another_size(tmp_path: Path) -> None:
    path = tmp_path / "mixed.safetensors"
    save_checkpoint(path, tiny_model(), tiny_tokenizer(60))
    with pytest.raises(CheckpointMismatchError, match="60 pieces, the weights are for 48"):
        load_checkpoint(path)


def test_they_are_all_model_errors() -> None:
    kinds = (UnknownModelError, CorruptCheckpointError, CheckpointMismatchError)
    assert all(issubclass(kind, ModelError) for kind in kinds)
    assert len({kind.reason for kind in kinds}) == 3


# --- the language model beside it --------------------------------------------------------------


def write_language_model(path: Path, order: int = 2, tokenizer_size: int = VOCAB_SIZE) -> Path:
    model, _ = random_model(vocab_size=tokenizer_size, order=order)
    save_language_model(path, model, tiny_tokenizer(tokenizer_size))
    return path


def test_without_a_language_model_it_has_none(path: Path) -> None:
    assert load_checkpoint(path).language_model is None


def test_the_language_model_beside_it_comes_along(path: Path) -> None:
    write_language_model(path_beside(path))
    found = load_checkpoint(path).language_model
    assert found is not None
    assert (found.order, found.vocab_size) == (2, VOCAB_SIZE)


def test_another_one_takes_its_place(path: Path, tmp_path: Path) -> None:
    write_language_model(path_beside(path))
    other = write_language_model(tmp_path / "other", order=3)
    found = load_checkpoint(path, other).language_model
    assert found is not None
    assert found.order == 3


def test_one_that_is_asked_for_must_be_there(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="no language model at"):
        load_checkpoint(path, tmp_path / "none")


def test_one_over_other_tokens_is_refused(path: Path) -> None:
    write_language_model(path_beside(path), tokenizer_size=40)
    with pytest.raises(CheckpointMismatchError, match="tokenizer of another model"):
        load_checkpoint(path)
