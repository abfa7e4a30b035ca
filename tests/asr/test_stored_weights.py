"""What a checkpoint in 8-bit integers keeps of its weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from auricle.checkpoint import load_checkpoint, read_header, save_checkpoint
from auricle.stored_weights import SCALES, from_stored, to_stored, without_scales
from auricle_types.errors import CheckpointMismatchError
from tests.asr.tiny import tiny_model, tiny_tokenizer, write_tiny_checkpoint

MATRIX = "encoder.layers.0.attention.qkv.weight"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "int8.safetensors"
    save_checkpoint(file, tiny_model(), tiny_tokenizer(), torch.int8)
    return file


def test_each_number_is_within_half_a_step_of_its_row() -> None:
    weights = tiny_model().state_dict()
    stored = to_stored(weights, torch.int8)
    for name, weight in from_stored(stored, torch.float32).items():
        error = (weight - weights[name]).abs()
        if stored[name].dtype == torch.int8:
            scales = stored[name + SCALES]
            groups = error.flatten(1).unflatten(1, (scales.shape[1], -1))
            assert (groups <= 0.5001 * scales[..., None]).all(), name
        else:
            assert torch.equal(weight, weights[name].half().float()), name


def test_a_row_has_a_scale_for_each_64_numbers() -> None:
    weight = torch.cat([torch.rand(5, 64), 1_000 * torch.rand(5, 64)], dim=1)
    stored = to_stored({"weight": weight}, torch.int8)
    assert stored["weight" + SCALES].shape == (5, 2)
    error = (from_stored(stored, torch.float32)["weight"] - weight).abs()
    assert error[:, :64].max() < 0.005 < error[:, 64:].max()
    assert to_stored({"weight": torch.rand(5, 96)}, torch.int8)["weight" + SCALES].shape == (5, 1)


def test_matrices_are_integers_and_the_rest_is_not() -> None:
    stored = to_stored(tiny_model().state_dict(), torch.int8)
    integers = {name for name, tensor in stored.items() if tensor.dtype == torch.int8}
    assert {MATRIX, "decoder.embedding.weight", "encoder.subsampling.convs.1.weight"} <= integers
    assert not {"ctc.weight", "encoder.subsampling.convs.0.weight"} & integers
    assert all(without_scales(stored)[name].dim() > 1 for name in integers)


def test_stored_twice_it_is_the_same(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, load_checkpoint(path).model, tiny_tokenizer(), torch.int8)
    first, second = load_file(path), load_file(again)
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor)


def test_it_is_small_and_tells_its_dimensions(path: Path, tmp_path: Path) -> None:
    whole = write_tiny_checkpoint(tmp_path)
    tokenizer = len(tiny_tokenizer().serialized)
    assert path.stat().st_size - tokenizer < 0.5 * (whole.stat().st_size - tokenizer)
    assert read_header(path) == read_header(whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_comes_in_the_dtype_that_is_asked_for(path: Path, dtype: torch.dtype) -> None:
    found = load_checkpoint(path, dtype=dtype).model.state_dict()
    for name, weight in load_checkpoint(path).model.state_dict().items():
        assert torch.equal(found[name], weight.to(dtype)), name


@pytest.mark.parametrize("scales", [None, torch.ones(3), torch.ones(96, 5), torch.ones(3, 1)])
def test_scales_that_do_not_fit_are_named(path: Path, scales: torch.Tensor | None) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    del tensors[MATRIX + SCALES]
    if scales is not None:
        tensors[MATRIX + SCALES] = scales
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(CheckpointMismatchError, match=f"{MATRIX} is int8 without fitting scales"):
        load_checkpoint(path)
