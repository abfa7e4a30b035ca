"""The layout of CTranslate2's model.bin: what is found, and what is no such file."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.families.whisper.model_bin import read_variables
from auricle_types.errors import CorruptCheckpointError, ModelError, UnknownArchitectureError
from tests.asr.families.whisper.model_bins import Array, string, variable, write_model_bin

VARIABLES: dict[str, Array] = {
    "decoder/activation": np.array(3, np.int8),
    "decoder/embeddings/weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "decoder/num_heads": np.array(2, np.int16),
    "encoder/conv1/bias": np.arange(5, dtype=np.float16),
    "encoder/conv1/weight": np.arange(6, dtype=np.int8).reshape(1, 2, 3),
}
ALIASES = [
    ("decoder/projection/weight", "decoder/embeddings/weight"),
    ("decoder/again", "decoder/projection/weight"),
]
HEADER = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<I", 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_model_bin(tmp_path / "model.bin", VARIABLES, ALIASES)


def test_every_variable_is_found_where_it_lies(path: Path) -> None:
    found, raw = read_variables(path), path.read_bytes()
    assert found.keys() == VARIABLES.keys() | dict(ALIASES).keys()
    for name, expected in VARIABLES.items():
        variable = found[name]
        assert (variable.name, variable.shape) == (name, expected.shape)
        assert variable.dtype == expected.dtype.name
        assert raw[variable.offset :][: variable.nbytes] == expected.tobytes()


def test_an_alias_is_the_variable(path: Path) -> None:
    found = read_variables(path)
    assert all(found[alias] is found["decoder/embeddings/weight"] for alias, _ in ALIASES)


def test_numbers_have_values(path: Path) -> None:
    found = read_variables(path)
    assert found["decoder/activation"].value == 3
    assert found["decoder/num_heads"].value == 2


def test_bfloat16_is_known_by_its_number(tmp_path: Path) -> None:
    bits = {"encoder/a": np.zeros((2, 2), np.uint16)}
    found = read_variables(write_model_bin(tmp_path / "model.bin", bits))
    assert (found["encoder/a"].dtype, found["encoder/a"].nbytes) == ("bfloat16", 8)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 7}, "binary version 7 .*update Auricle, or convert"),
        ({"version": 5}, "binary version 5 is older .*convert"),
        ({"revision": 4}, "revision 4 .*update Auricle, or convert"),
        ({"specification": "TransformerSpec"}, r"'TransformerSpec'.*WhisperSpec \(Whisper\)"),
        ({"specification": ""}, "''"),
    ],
)
def test_another_model_or_version(tmp_path: Path, change: dict[str, int], told: str) -> None:
    path = write_model_bin(tmp_path / "model.bin", VARIABLES, **change)  # type: ignore[arg-type]
    with pytest.raises(UnknownArchitectureError, match=told):
        read_variables(path)


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(99), b"\x80\x02}q", bytes(99), b"<html>"])
def test_another_kind_of_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(CorruptCheckpointError, match="no model of CTranslate2"):
        read_variables(tmp_path / "model.bin")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "model.bin", tmp_path):
        with pytest.raises(CorruptCheckpointError, match="cannot be read"):
            read_variables(path)


def test_truncated_anywhere(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptCheckpointError, match="copy it again"):
            read_variables(path)


def test_more_than_the_model(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CorruptCheckpointError, match="more than the model"):
        read_variables(path)


HUGE = struct.pack("<I", 0xFFFFFFFF)
FORGED = {
    "variables": HEADER + HUGE + bytes(64),
    "a name": HEADER + struct.pack("<IH", 1, 0xFFFF) + bytes(64),
    "a rank": HEADER + struct.pack("<I", 1) + string("a") + b"\xff" + bytes(64),
    "dimensions": HEADER + struct.pack("<I", 1) + string("a") + b"\x03" + 3 * HUGE + b"\0" + HUGE,
    "bytes": HEADER
    + struct.pack("<I", 1)
    + string("a")
    + struct.pack("<B3IBI", 3, 1 << 16, 1 << 14, 1, 1, 1 << 30),
    "none": HEADER
    + struct.pack("<I", 1)
    + string("a")
    + struct.pack("<BIBI", 1, 0, 0, 0)
    + bytes(4),
    "aliases": HEADER + struct.pack("<I", 0) + HUGE + string("a"),
}


@pytest.mark.parametrize("case", FORGED)
def test_sizes_beyond_the_file_allocate_nothing(tmp_path: Path, case: str) -> None:
    (tmp_path / "model.bin").write_bytes(FORGED[case])
    tracemalloc.start()
    with pytest.raises(CorruptCheckpointError, match="truncated or damaged"):
        read_variables(tmp_path / "model.bin")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


SPOILED = {
    "comes twice": 2 * variable("a", np.zeros(1, np.int8)),
    "is no text": struct.pack("<H", 2) + b"\xff\0" + variable("a", np.zeros(1, np.int8))[4:],
    "has no end": struct.pack("<H", 2) + b"ab" + variable("a", np.zeros(1, np.int8))[4:],
    "unknown dtype, 6,": string("a") + struct.pack("<BIBI", 1, 1, 6, 1) + b"\0",
    "has 3 bytes": string("a") + struct.pack("<BIBI", 1, 1, 0, 3) + b"\0\0\0",
}


@pytest.mark.parametrize("told", SPOILED)
def test_a_damaged_variable(tmp_path: Path, told: str) -> None:
    count = 2 if "twice" in told else 1
    data = HEADER + struct.pack("<I", count) + SPOILED[told] + struct.pack("<I", 0)
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(CorruptCheckpointError, match=told):
        read_variables(tmp_path / "model.bin")


@pytest.mark.parametrize(
    ("alias", "told"),
    [
        (("a", "nothing"), "a stands for nothing, which is missing"),
        (("decoder/num_heads", "encoder/conv1/bias"), "comes twice"),
    ],
)
def test_a_damaged_alias(tmp_path: Path, alias: tuple[str, str], told: str) -> None:
    path = write_model_bin(tmp_path / "model.bin", VARIABLES, [alias])
    with pytest.raises(CorruptCheckpointError, match=told):
        read_variables(path)


@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1))
def test_damaged_anywhere_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.bin"
    data = bytearray(write_model_bin(path, VARIABLES, ALIASES).read_bytes())
    for place, value in places:
        data[place % len(data)] = value
    path.write_bytes(data)
    try:
        found = read_variables(path)
    except ModelError:
        return
    assert all(each.offset + each.nbytes <= len(data) for each in found.values())
