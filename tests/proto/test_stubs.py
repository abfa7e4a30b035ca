"""The committed stubs are those of the committed .proto, and documented."""

import hashlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "proto" / "auricle_proto" / "v1"
STUBS = ("speech_pb2.py", "speech_pb2.pyi", "speech_pb2_grpc.py", "speech_pb2_grpc.pyi")


def test_stubs_were_generated_from_this_proto() -> None:
    recorded = (GENERATED / "speech.proto.sha256").read_text().strip()
    assert recorded == hashlib.sha256((GENERATED / "speech.proto").read_bytes()).hexdigest()


@pytest.mark.skipif(
    not (ROOT / ".venv-proto" / "bin" / "protoc-gen-mypy_grpc").exists(),
    reason="the pinned generator is not installed; `make proto` installs it",
)
def test_regenerating_changes_nothing(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "generate_stubs.sh"
    subprocess.run(["sh", str(script), str(tmp_path)], check=True, capture_output=True)
    for name in (*STUBS, "speech.proto.sha256"):
        fresh = (tmp_path / "auricle_proto" / "v1" / name).read_bytes()
        assert fresh == (GENERATED / name).read_bytes(), f"{name} is stale; run `make proto`"


def test_stubs_import_without_a_warning() -> None:
    code = "import auricle_proto.v1.speech_pb2_grpc"
    search = [str(ROOT / "proto"), *sys.path]
    program = f"import sys; sys.path[:0] = {search!r}; {code}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def undocumented(proto: str) -> list[str]:
    """Declarations of a .proto whose line before is no comment."""
    lines = [line.strip() for line in proto.splitlines()]
    declaration = re.compile(r"(message|enum|service|oneof|rpc) \w|.*= \d+;$")
    pairs = itertools.pairwise(lines)
    return [line for before, line in pairs if declaration.match(line) and before[:2] != "//"]


def test_everything_in_the_proto_is_documented() -> None:
    assert undocumented((GENERATED / "speech.proto").read_text()) == []


def test_a_field_without_a_comment_would_be_noticed() -> None:
    assert undocumented("\n// A.\nmessage A {\n  int32 b = 1;\n}") == ["int32 b = 1;"]
