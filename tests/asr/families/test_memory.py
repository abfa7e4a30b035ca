"""Loading takes little more memory than the weights themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.asr.families.peers import hub_whisper, save

SCRIPT = """
import sys, threading, time
from pathlib import Path
import torch
from auricle.families import load_pretrained

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024

def watch():
    while not done.is_set():
        peak[0] = max(peak[0], held())
        time.sleep(0.001)

path, dtype = Path(sys.argv[1]), getattr(torch, sys.argv[2])
load_pretrained(path, dtype=dtype)  # whatever is imported and kept, is by then
done, peak, before = threading.Event(), [0], held()
thread = threading.Thread(target=watch)
thread.start()
model = load_pretrained(path, dtype=dtype).model
done.set()
thread.join()
weights = sum(w.numel() * w.element_size() for w in model.state_dict().values())
print(weights, peak[0] - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_loading_takes_no_more_than_its_weights(tmp_path: Path, dtype: str) -> None:
    """Of large-v3's layers, fewer: memory that is not the file's own pages."""
    dims = {"d_model": 1280, "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120}
    folder = save(hub_whisper(encoder_layers=4, decoder_layers=4, **dims), tmp_path / "large")
    weights, most = taken(folder, dtype)
    assert weights > 100e6
    assert most < 1.2 * weights


def taken(path: Path, dtype: str) -> tuple[int, int]:
    """Bytes of the weights, and the most that loading held, in a process of its own."""
    run = [sys.executable, "-c", SCRIPT, str(path), dtype]
    result = subprocess.run(run, check=True, capture_output=True, text=True)
    weights, most = map(int, result.stdout.split())
    return weights, most
