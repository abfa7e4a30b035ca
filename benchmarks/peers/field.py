"""Which peers there are, and which of them this machine has."""

import importlib
from collections.abc import Iterator

from auricle.config import TransformerConfig
from benchmarks.peers.peer import Generate, Loader

INT8 = "ctranslate2 int8"
FLOAT32 = "ctranslate2 float32"
TRANSFORMERS = "transformers float32"
REFERENCE = "openai-whisper float32"
PEERS = {
    INT8: ("benchmarks.peers.ct2", "int8"),
    FLOAT32: ("benchmarks.peers.ct2", "float32"),
    TRANSFORMERS: ("benchmarks.peers.hugging", "transformers_peer"),
    REFERENCE: ("benchmarks.peers.reference", "openai_whisper"),
}
PACKAGES = ("torch", "numpy", "ctranslate2", "faster-whisper", "transformers", "openai-whisper")


def field(dims: TransformerConfig, threads: int) -> Iterator[tuple[str, Generate]]:
    """Each peer with a random model of the same shape; those that are not installed are named."""
    for name, (module, attribute) in PEERS.items():
        try:
            load: Loader = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as missing:
            print(f"without {name}: {missing}; pip install 'auricle[bench]'")
            continue
        yield name, load(dims, threads)
