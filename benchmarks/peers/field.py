"""Which peers there are, and which of them this machine has."""

import importlib
from collections.abc import Iterator

from auricle.config import TransformerConfig
from benchmarks.peers.peer import Generate, Loader

INT8 = "ctranslate2 int8"
WORKERS = "ctranslate2 int8, a worker a thread"
CTRANSLATE2 = (INT8, WORKERS)  # its two ways in int8, of which the faster is held against
FLOAT32 = "ctranslate2 float32"
TRANSFORMERS = "transformers float32"
REFERENCE = "openai-whisper float32"
PEERS = {
    INT8: ("benchmarks.peers.ct2", "int8"),
    WORKERS: ("benchmarks.peers.ct2", "int8_workers"),
    FLOAT32: ("benchmarks.peers.ct2", "float32"),
    TRANSFORMERS: ("benchmarks.peers.hugging", "float32"),
    REFERENCE: ("benchmarks.peers.reference", "openai_whisper"),
}
PACKAGES = ("torch", "numpy", "ctranslate2", "faster-whisper", "transformers", "openai-whisper")


def installed() -> Iterator[str]:
    """Those that this machine has; it is told which it has not."""
    for name, (module, _) in PEERS.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as missing:
            print(f"without {name}: {missing}; pip install 'auricle[bench]'")
            continue
        yield name


def load(name: str, dims: TransformerConfig, threads: int) -> Generate:
    """A peer with a random model of this shape."""
    module, attribute = PEERS[name]
    loader: Loader = getattr(importlib.import_module(module), attribute)
    return loader(dims, threads)
