"""Commands that ask a server over TLS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from auricle_cli.connection import Connection
from auricle_cli.failure import Failure
from auricle_server import ServerConfig
from tests.cli.conftest import Auricle
from tests.client.conftest import serving
from tests.server.certificate import self_signed
from tests.server.fakes import FakeRecognizer, wav

WORDS = "level 500 beam 1"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The certificate of the server behind `safe`."""
    return self_signed(tmp_path)[0]


@pytest.fixture
def safe(authority: Path) -> Iterator[str]:
    """The address of a server that speaks TLS only."""
    key = authority.with_name("key.pem")
    config = ServerConfig(host="localhost", port=0, tls_certificate=authority, tls_key=key)
    with serving(FakeRecognizer(), config) as address:
        yield address.replace("127.0.0.1", "localhost")  # the name in the certificate


@pytest.fixture
def loud(tmp_path: Path) -> str:
    (tmp_path / "loud.wav").write_bytes(wav(1.0, level=0.5))
    line = {"audio_filepath": "loud.wav", "text": WORDS}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(line))
    return "loud.wav"


def asked(auricle: Auricle, command: str, *flags: str) -> tuple[int, str]:
    """The exit status and the output of a command that asks a server."""
    inputs = {"transcribe": ["loud.wav"], "evaluate": ["manifest.jsonl", "--format", "json"]}
    result = auricle(command, *flags, *inputs.get(command, []))
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("transcribe", WORDS),
        ("evaluate", '"wer": 0.0'),
        ("health", "SERVING"),
        ("models", "fake-1"),
    ],
)
def test_a_trusted_server_answers(
    auricle: Auricle, safe: str, authority: Path, loud: str, command: str, answer: str
) -> None:
    for flags in (["--ca-certificate", str(authority)], ["--tls", "--ca-certificate", "cert.pem"]):
        status, output = asked(auricle, command, "--server", safe, *flags)
        assert (status, answer in output) == (0, True), output


@pytest.mark.parametrize("command", ["transcribe", "evaluate", "health", "models"])
@pytest.mark.parametrize("flags", [[], ["--tls"]], ids=["plain text", "nobody vouches for it"])
def test_an_untrusted_server_is_not_spoken_to(
    auricle: Auricle, safe: str, loud: str, command: str, flags: list[str]
) -> None:
    status, output = asked(auricle, command, "--server", safe, *flags)
    assert status == 2
    assert output.startswith(f"auricle: {safe}")
    assert WORDS not in output


@pytest.mark.parametrize("command", ["transcribe", "health", "models"])
def test_a_certificate_that_is_none(
    auricle: Auricle, loud: str, tmp_path: Path, command: str
) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    for name, message in (("none.pem", "No such file"), ("text.pem", "holds no certificate")):
        flags = ["--server", "localhost:1", "--ca-certificate", name]
        status, output = asked(auricle, command, *flags)
        assert (status, output.startswith(f"auricle: {name}")) == (2, True)
        assert message in output


@pytest.fixture
def choosy(authority: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a server that speaks to those with the certificate in `own` only."""
    own = self_signed(tmp_path / "own", "somebody")[0]
    key = authority.with_name("key.pem")
    config = ServerConfig(
        host="localhost", port=0, tls_certificate=authority, tls_key=key, tls_client_ca=own
    )
    with serving(FakeRecognizer(), config) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(
    ("command", "answer"), [("transcribe", WORDS), ("health", "SERVING"), ("models", "fake-1")]
)
def test_a_server_may_ask_for_the_clients_certificate(
    auricle: Auricle, choosy: str, loud: str, command: str, answer: str
) -> None:
    trust = ["--server", choosy, "--ca-certificate", "cert.pem"]
    own = ["--client-certificate", "own/cert.pem", "--client-key", "own/key.pem"]
    assert asked(auricle, command, *trust)[0] == 2
    status, output = asked(auricle, command, *trust, *own)
    assert (status, answer in output) == (0, True), output


@pytest.mark.parametrize("flag", ["--client-certificate", "--client-key"])
def test_half_of_a_client_certificate(auricle: Auricle, loud: str, flag: str) -> None:
    status, output = asked(auricle, "health", "--server", "localhost:1", flag, "own.pem")
    assert (status, "belong together" in output) == (2, True)


def test_a_key_that_is_none(auricle: Auricle, authority: Path) -> None:
    own = ["--client-certificate", "cert.pem", "--client-key", "cert.pem"]
    status, output = asked(auricle, "health", "--server", "localhost:1", *own)
    assert (status, output) == (2, "auricle: cert.pem holds no private key: give one in PEM\n")


@pytest.mark.parametrize("flags", [["--tls"], ["--ca-certificate", "cert.pem"]])
def test_tls_needs_a_server(auricle: Auricle, loud: str, flags: list[str]) -> None:
    status, output = asked(auricle, "transcribe", *flags)
    assert (status, "--server" in output) == (2, True)


def test_plain_text_has_no_credentials(tmp_path: Path) -> None:
    assert Connection("a:1").credentials() is None
    assert Connection("a:1", tls=True).credentials() is not None
    with pytest.raises(Failure, match="directory"):
        Connection("a:1", ca_certificate=tmp_path).credentials()
