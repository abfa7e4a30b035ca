import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import auricle_server
from auricle.recognizer import Recognizer
from auricle_cli.commands.serve import end_within
from auricle_server import ServerConfig
from auricle_server.protocols import ProtocolFactory
from auricle_server.protocols.auricle_grpc import GrpcProtocol
from auricle_server.protocols.openai_http import HttpProtocol
from auricle_types.errors import InvalidOptionError, UnknownModelError
from auricle_types.options import EngineConfig
from tests.cli.conftest import Auricle
from tests.server.fakes import FakeRecognizer


class Loaded(FakeRecognizer):
    """A fake that notes how it was asked for."""

    asked: tuple[str, dict[str, Any]] = ("", {})
    closed = False

    def __enter__(self) -> "Loaded":
        return self

    def __exit__(self, *error: object) -> None:
        self.closed = True


class Serving:
    """Stands for `auricle_server.serve`."""

    config: ServerConfig | None = None
    protocols: Sequence[ProtocolFactory] = ()

    async def __call__(
        self,
        recognizer: Loaded,
        config: ServerConfig,
        *,
        ready: Callable[[int], None],
        stopping: Callable[[], None],
        protocols: Sequence[ProtocolFactory],
    ) -> None:
        self.config, self.protocols = config, protocols
        if config.port == 1:
            raise InvalidOptionError("cannot listen")
        ready(4321)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    fake = Loaded()

    def from_pretrained(model: str, **options: object) -> Loaded:
        if model == "none":
            raise UnknownModelError("no model none")
        fake.asked = (model, options)
        return fake

    monkeypatch.setattr(Recognizer, "from_pretrained", from_pretrained)
    return fake


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Serving:
    fake = Serving()
    monkeypatch.setattr(auricle_server, "serve", fake)
    return fake


def test_defaults_are_the_libraries_own(auricle: Auricle, loaded: Loaded, serving: Serving) -> None:
    result = auricle("serve")
    assert result.exit_code == 0
    assert result.stdout == "auricle: serving fake-1 on 127.0.0.1:4321\n"
    assert serving.config == ServerConfig()
    options = {"lm": None, "device": "auto", "dtype": "auto", "engine": EngineConfig()}
    assert loaded.asked == ("bundled", {**options, "check_invariance": 0.0, "audio_context": None})
    assert loaded.closed


def test_flags_reach_their_configs(
    auricle: Auricle, loaded: Loaded, serving: Serving, tmp_path: Path
) -> None:
    lm = tmp_path / "m.lm"
    lm.touch()
    flags = "--model m --device cpu --dtype float32 --port 0 --max-queue 7 --tls-key k"
    budgets = "--slots 8 --max-encode-seconds 12.5 --max-cache-mib 99 --exact --processes 3"
    files = ["--tls-certificate", "c", "--lm", str(lm)]
    auricle("serve", *flags.split(), *files, *budgets.split())
    assert serving.config == ServerConfig(port=0, tls_key=Path("k"), tls_certificate=Path("c"))
    engine = EngineConfig(
        max_queue=7,
        max_encode_seconds=12.5,
        slots=8,
        max_cache_mib=99,
        exact=True,
        processes=3,
    )
    options = {"lm": lm, "device": "cpu", "dtype": "float32", "engine": engine}
    assert loaded.asked == ("m", {**options, "check_invariance": 0.0, "audio_context": None})


def test_operations(auricle: Auricle, loaded: Loaded, serving: Serving) -> None:
    auricle("serve", "--metrics-port", "9100", "--check-invariance", "0.01")
    assert serving.config == ServerConfig(metrics_port=9100)
    assert loaded.asked[1]["check_invariance"] == 0.01


def test_http_can_be_off_or_elsewhere(auricle: Auricle, loaded: Loaded, serving: Serving) -> None:
    auricle("serve", "--http-port", "8123")
    assert serving.config == ServerConfig(http_port=8123)
    assert serving.protocols == [GrpcProtocol, HttpProtocol]
    auricle("serve", "--no-http")
    assert serving.protocols == [GrpcProtocol]


def test_the_environment(auricle: Auricle, loaded: Loaded, serving: Serving) -> None:
    auricle("serve", env={"AURICLE_SERVE_HOST": "0.0.0.0", "AURICLE_SERVE_MAX_QUEUE": "5"})
    assert serving.config is not None
    assert serving.config.host == "0.0.0.0"
    assert loaded.asked[1]["engine"] == EngineConfig(max_queue=5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--port 70000", "'--port'"),
        ("--tls-key k", "belong together"),
        ("--port x", "'--port'"),
        ("--metrics-port 70000", "'--metrics-port'"),
        ("--check-invariance 1.5", "'--check-invariance'"),
        ("--slots 0", "'--slots'"),
        ("--max-encode-seconds 0", "'--max-encode-seconds'"),
        ("--processes 0", "'--processes'"),
        ("--log-level loud", "'--log-level'"),
        ("--model none", "auricle: no model none"),
        ("--port 1", "auricle: cannot listen"),
    ],
)
def test_what_cannot_be_served_is_two(
    auricle: Auricle, loaded: Loaded, serving: Serving, flags: str, message: str
) -> None:
    result = auricle("serve", *flags.split())
    assert result.exit_code == 2
    assert message in result.stderr


def hang() -> None:
    """Begin to end, with a thread and a process that never do."""
    child = multiprocessing.get_context("fork").Process(target=signal.pause, daemon=True)
    child.start()
    os.kill(child.pid or 0, signal.SIGSTOP)
    end_within(1.5)
    threading.Thread(target=time.sleep, args=(1000,)).start()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_hangs_does_not_keep_the_process_from_ending() -> None:
    script = "from tests.cli.test_serve import hang; hang()"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        try:
            _, err = process.communicate(timeout=60)  # the child holds the pipe open, too
        finally:
            process.kill()
    assert process.returncode == 1
    assert b"the server hangs" in err
