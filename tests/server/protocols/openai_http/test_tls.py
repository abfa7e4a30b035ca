"""TLS over HTTP: with authorities for clients, nobody gets in without a certificate."""

import ssl
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from auricle_server import ServerConfig, SpeechServer
from auricle_server.protocols.openai_http import HttpProtocol
from auricle_types.errors import InvalidOptionError
from tests.server.certificate import self_signed
from tests.server.fakes import FakeRecognizer

Pair = tuple[Path, Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Pair:
    return self_signed(tmp_path / "server")


@pytest.fixture
def clients_own(tmp_path: Path) -> Pair:
    return self_signed(tmp_path / "client", "somebody")


@pytest.fixture
def secure(config: ServerConfig, certificate: Pair) -> ServerConfig:
    files = {"tls_certificate": certificate[0], "tls_key": certificate[1]}
    return replace(config, host="localhost", **files)  # type: ignore[arg-type]


async def status(config: ServerConfig, trusted: Path, own: Pair | None = None) -> int:
    """The status of one answer over TLS, of a server of its own."""
    context = ssl.create_default_context(cafile=str(trusted))
    if own is not None:
        context.load_cert_chain(*own)
    async with (
        SpeechServer(FakeRecognizer(), config, protocols=(HttpProtocol,)) as server,
        httpx2.AsyncClient(verify=context, timeout=20, trust_env=False) as client,
    ):
        return (await client.get(f"https://localhost:{server.port}/health")).status_code


async def test_the_certificate_of_the_server(secure: ServerConfig, certificate: Pair) -> None:
    assert await status(secure, certificate[0]) == 200


async def test_a_certificate_of_the_client(
    secure: ServerConfig, certificate: Pair, clients_own: Pair
) -> None:
    mutual = replace(secure, tls_client_ca=clients_own[0])
    assert await status(mutual, certificate[0], clients_own) == 200
    with pytest.raises(httpx2.TransportError):
        await status(mutual, certificate[0])


async def test_plain_text_is_not_answered(secure: ServerConfig) -> None:
    async with (
        SpeechServer(FakeRecognizer(), secure, protocols=(HttpProtocol,)) as server,
        httpx2.AsyncClient(timeout=20, trust_env=False) as client,
    ):
        with pytest.raises(httpx2.TransportError):
            await client.get(f"http://localhost:{server.port}/health")


async def test_a_key_of_another_certificate_is_refused(
    secure: ServerConfig, clients_own: Pair
) -> None:
    wrong = replace(secure, tls_key=clients_own[1])
    with pytest.raises(InvalidOptionError, match="cannot serve HTTP"):
        await SpeechServer(FakeRecognizer(), wrong, protocols=(HttpProtocol,)).start()
