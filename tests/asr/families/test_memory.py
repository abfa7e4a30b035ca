"""Loading whisper-large-v3's shape takes little more memory than the weights themselves."""

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from auricle.families.whisper.ctranslate2 import sources
from auricle.model import SpeechTransformer
from auricle.pretrained import describe
from tests.asr.families.peers import Peer, hub_whisper
from tests.asr.families.sizes import WHISPER, hub_dims, skip_without_memory
from tests.asr.families.whisper.model_bins import Array, write_model_bin
from tests.asr.tokenizer.unicode_lines import vocabulary

LARGE = WHISPER["large-v3"]
SCRIPT = """
import re, sys
from pathlib import Path
from auricle import EngineConfig, Recognizer

def held(name):
    return int(re.search(rf"{name}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

def load(path):
    engine = EngineConfig(slots=1)
    return Recognizer.from_pretrained(path, device="cpu", dtype=sys.argv[3], engine=engine)

load(sys.argv[1]).close()  # whatever is imported and kept, is by then
before = held("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak is what is there now
with load(sys.argv[2]):
    print(held("VmHWM") - before, held("VmRSS") - before)
"""
MADE_FROM = {"float32": 4, "bfloat16": 2, "int8": 4}  # bytes of a weight while it is read


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_zeros(tmp_path_factory.mktemp("small"), vocab_size=LARGE.n_vocab)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shape of large-v3, in float32."""
    return folder_of_zeros(tmp_path_factory.mktemp("large"), **hub_dims(LARGE))


@pytest.fixture(scope="module")
def converted(large: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as CTranslate2 has it."""
    return ct2_folder(large, tmp_path_factory.mktemp("converted") / "large")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", MADE_FROM)
def test_loading_takes_no_more_than_its_weights(small: Path, large: Path, dtype: str) -> None:
    """The most that was resident, the file's own pages included."""
    assert_little_more(small, large, dtype)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", MADE_FROM)
def test_ctranslate2s_folders_take_no_more_either(small: Path, converted: Path, dtype: str) -> None:
    assert_little_more(small, converted, dtype)


def assert_little_more(small: Path, large: Path, dtype: str) -> None:
    skip_without_memory(LARGE.nbytes)
    run = [sys.executable, "-c", SCRIPT, str(small), str(large), dtype]
    result = subprocess.run(run, check=True, capture_output=True, text=True)
    most, left = (int(each) / LARGE.nbytes for each in result.stdout.split())
    print(f"\n{dtype}: {most:.3f} at most, {left:.3f} then, of float32")  # noqa: T201
    assert most < 1.2 * MADE_FROM[dtype] / 4
    assert left < 1.2 * MADE_FROM[dtype] / 4


def folder_of_zeros(folder: Path, **dims: object) -> Path:
    """As transformers lays it out; the weights' file has no content on the disk."""
    tokenizer = vocabulary(languages=100)
    tokens = {"decoder_start_token_id": tokenizer.start, "eos_token_id": tokenizer.end}
    with torch.device("meta"):
        model: Peer = hub_whisper(**dims, **tokens)
    model.config.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer.serialized)
    weights = {name: weight.shape for name, weight in model.state_dict().items()}
    weights.pop("proj_out.weight")  # the embedding
    write_zeros(folder / "model.safetensors", weights)
    return folder


def write_zeros(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A sparse safetensors file of float32."""
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        file.truncate(8 + len(encoded) + end)


def ct2_folder(hub: Path, folder: Path) -> Path:
    """The same as CTranslate2 lays it out, in float16; it takes 3 GB on the disk."""
    config, _ = describe(hub)
    with torch.device("meta"):
        shapes = {name: each.shape for name, each in SpeechTransformer(config).state_dict().items()}
    zero = np.zeros((), np.float16)
    variables: dict[str, Array] = {
        str(part.name): np.broadcast_to(zero, shapes[ours])
        for ours, (part,) in sources(config.transformer).items()
    }
    heads = np.array(config.transformer.n_heads, np.int16)
    variables |= {f"{side}/num_heads": heads for side in ("encoder", "decoder")}
    variables |= {
        "decoder/activation": np.array(3, np.int8),
        "decoder/pre_norm": np.array(1, np.int8),
    }
    folder.mkdir()
    embedding = "decoder/embeddings/weight"
    write_model_bin(folder / "model.bin", variables, [("decoder/projection/weight", embedding)])
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_bytes((hub / "tokenizer.json").read_bytes())
    return folder
