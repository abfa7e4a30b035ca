"""The client is light: whoever installs it for an edge device pays for no recogniser."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
sys.path[:0] = {path!r}
import auricle_client
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
HEAVY = {
    "auricle", "auricle_server", "auricle_cli", "torch", "torchaudio", "numpy", "onnxruntime",
    "av", "soundfile", "librosa",
}  # fmt: skip


def test_importing_the_client_imports_no_recogniser() -> None:
    program = PROGRAM.format(path=sys.path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(done.stdout))
    assert {"auricle_client", "auricle_proto", "auricle_types", "grpc"} <= modules
    assert modules & HEAVY == set()


def test_the_public_surface() -> None:
    import auricle_client

    assert len(set(auricle_client.__all__)) == len(auricle_client.__all__)
    assert all(hasattr(auricle_client, name) for name in auricle_client.__all__)
