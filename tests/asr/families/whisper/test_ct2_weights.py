"""Tensors of CTranslate2's model.bin, quantized or not."""

from pathlib import Path

import numpy as np
import pytest
import torch

from auricle.families.whisper.ct2_weights import Ct2Weights
from auricle_types.errors import CorruptCheckpointError, UnknownArchitectureError
from tests.asr.families.whisper.model_bins import Array, write_model_bin

MATRIX = np.linspace(-3, 3, 12, dtype=np.float32).reshape(4, 3)
ROWS = np.array([2, 4, 8, 16], np.float32)


def weights(tmp_path: Path, variables: dict[str, Array], *aliases: tuple[str, str]) -> Ct2Weights:
    return Ct2Weights(write_model_bin(tmp_path / "model.bin", variables, aliases))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_floats_come_as_they_are(tmp_path: Path, dtype: torch.dtype) -> None:
    expected = torch.from_numpy(MATRIX).to(dtype)
    stored = expected.view(torch.uint16) if dtype == torch.bfloat16 else expected
    found = weights(tmp_path, {"odd": np.array(1, np.int8), "a": stored.numpy()})
    assert torch.equal(found.read("a"), expected)
    assert found.read("a").dtype == dtype


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 1), (4, 1, 3)])
def test_8_bits_are_divided_by_a_scale_for_each_row(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(-6, 6, dtype=np.int8).reshape(shape)
    found = weights(tmp_path, {"a": values, "a_scale": ROWS})
    expected = values / ROWS.reshape(-1, *[1] * (len(shape) - 1))
    assert torch.equal(found.read("a"), torch.from_numpy(expected.astype(np.float32)))
    assert found.shapes == {"a": shape}


def test_16_bits_have_one_scale(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.int16).reshape(4, 3)
    found = weights(tmp_path, {"a": values, "a_scale": np.array(4, np.float32)})
    assert torch.equal(found.read("a"), torch.from_numpy(values) / 4)
    assert (found.shapes, found.attributes) == ({"a": (4, 3)}, {})


def test_an_alias_has_the_scales_of_what_it_stands_for(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.int8).reshape(4, 3)
    found = weights(tmp_path, {"a": values, "a_scale": ROWS, "c": ROWS}, ("b", "a"))
    assert torch.equal(found.read("b"), found.read("a"))
    assert found.is_alias("b", "a")
    assert not found.is_alias("c", "a")
    assert not found.is_alias("d", "e")
    assert found.shapes == {"a": (4, 3), "b": (4, 3), "c": (4,)}


def test_what_is_read_is_a_copy(tmp_path: Path) -> None:
    found = weights(tmp_path, {"a": MATRIX})
    found.read("a").zero_()
    assert torch.equal(found.read("a"), torch.from_numpy(MATRIX))


@pytest.mark.parametrize("scale", [None, ROWS[:3], ROWS.reshape(2, 2)])
def test_scales_that_are_missing_or_of_another_shape(tmp_path: Path, scale: Array | None) -> None:
    variables: dict[str, Array] = {"a": np.zeros((4, 3), np.int8)}
    with pytest.raises(CorruptCheckpointError, match=r"a_scale is (missing|\(\d)"):
        weights(tmp_path, variables if scale is None else variables | {"a_scale": scale})


def test_packed_weights_are_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UnknownArchitectureError, match=r"a is packed in int32.*such as int8"):
        weights(tmp_path, {"a": np.zeros((4, 3), np.int32)})


def test_a_file_that_shrinks_meanwhile(tmp_path: Path) -> None:
    found = weights(tmp_path, {"a": MATRIX})
    (tmp_path / "model.bin").write_bytes(b"short")
    with pytest.raises(CorruptCheckpointError, match="cannot be read"):
        found.read("a")
