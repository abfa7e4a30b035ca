"""TLS: whom the server speaks to, and certificates that change while it runs."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from auricle_proto.v1 import speech_pb2 as pb
from auricle_proto.v1.speech_pb2_grpc import SpeechStub
from auricle_server import ServerConfig, SpeechServer
from auricle_types.errors import InvalidOptionError
from tests.server.certificate import self_signed
from tests.server.fakes import FakeRecognizer
from tests.server.messages import refused, soon

Code = grpc.StatusCode
Pair = tuple[Path, Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Pair:
    return self_signed(tmp_path / "server")


@pytest.fixture
def clients_own(tmp_path: Path) -> Pair:
    return self_signed(tmp_path / "client", "somebody")


def config_of(certificate: Pair, client_ca: Path | None = None) -> ServerConfig:
    return ServerConfig(
        host="localhost",
        port=0,
        tls_certificate=certificate[0],
        tls_key=certificate[1],
        tls_client_ca=client_ca,
        stream_idle_seconds=20,
    )


@pytest.fixture
async def server(recognizer: FakeRecognizer, certificate: Pair) -> AsyncIterator[SpeechServer]:
    async with SpeechServer(recognizer, config_of(certificate)) as server:
        yield server


def credentials(trusted: bytes, own: Pair | None = None) -> grpc.ChannelCredentials:
    if own is None:
        return grpc.ssl_channel_credentials(trusted)
    return grpc.ssl_channel_credentials(trusted, own[1].read_bytes(), own[0].read_bytes())


async def ask(server: SpeechServer, using: grpc.ChannelCredentials | None) -> pb.ListModelsResponse:
    """Asks over a connection of its own."""
    target = f"localhost:{server.port}"
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = (
        aio.insecure_channel(target, options=options)
        if using is None
        else aio.secure_channel(target, using, options=options)
    )
    async with channel:
        return await soon(SpeechStub(channel).ListModels(pb.ListModelsRequest()))


async def is_trusted(server: SpeechServer, trusted: bytes) -> bool:
    """Whether a client that trusts this certificate alone gets an answer."""
    with suppress(aio.AioRpcError):
        return bool((await ask(server, credentials(trusted))).models)
    return False


async def test_only_tls_is_spoken(server: SpeechServer, certificate: Pair) -> None:
    assert (await ask(server, credentials(certificate[0].read_bytes()))).models
    assert (await refused(ask(server, None))).code is Code.UNAVAILABLE


async def test_only_clients_of_the_authority_are_spoken_to(
    recognizer: FakeRecognizer, certificate: Pair, clients_own: Pair, tmp_path: Path
) -> None:
    trusted = certificate[0].read_bytes()
    stranger = self_signed(tmp_path / "stranger", "somebody")
    async with SpeechServer(recognizer, config_of(certificate, clients_own[0])) as server:
        assert (await ask(server, credentials(trusted, clients_own))).models
        for using in (None, credentials(trusted), credentials(trusted, stranger)):
            assert (await refused(ask(server, using))).code is Code.UNAVAILABLE


async def test_new_certificates_are_used_without_a_restart(
    server: SpeechServer, certificate: Pair
) -> None:
    before = certificate[0].read_bytes()
    assert await is_trusted(server, before)
    self_signed(certificate[0].parent)
    after = certificate[0].read_bytes()
    assert await is_trusted(server, after)
    assert not await is_trusted(server, before)


async def test_new_authorities_are_used_without_a_restart(
    recognizer: FakeRecognizer, certificate: Pair, clients_own: Pair
) -> None:
    trusted = certificate[0].read_bytes()
    old = credentials(trusted, clients_own)
    async with SpeechServer(recognizer, config_of(certificate, clients_own[0])) as server:
        assert (await ask(server, old)).models
        new = credentials(trusted, self_signed(clients_own[0].parent, "somebody"))
        assert (await ask(server, new)).models
        assert (await refused(ask(server, old))).code is Code.UNAVAILABLE


@pytest.mark.parametrize("broken", ["missing", "half", "text"])
async def test_files_that_do_not_fit_change_nothing(
    server: SpeechServer, certificate: Pair, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    cert, key = certificate
    before = cert.read_bytes()
    match broken:
        case "missing":
            key.unlink()
        case "half":  # the key was written, the certificate is still to come
            key.write_bytes(self_signed(cert.parent / "other")[1].read_bytes())
        case "text":
            cert.write_text("no certificate")
    assert await is_trusted(server, before)
    assert await is_trusted(server, before)
    assert "new certificates are not used" in caplog.text
    self_signed(cert.parent)
    assert await is_trusted(server, cert.read_bytes())


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key", "tls_client_ca"])
@pytest.mark.parametrize("content", [None, "no PEM"], ids=["missing", "no PEM"])
async def test_a_server_does_not_start_with_files_that_do_not_fit(
    recognizer: FakeRecognizer, certificate: Pair, tmp_path: Path, name: str, content: str | None
) -> None:
    wrong = tmp_path / "wrong.pem"
    if content is not None:
        wrong.write_text(content)
    files: dict[str, Any] = {name: wrong}
    config = replace(config_of(certificate, certificate[0]), **files)
    server = SpeechServer(recognizer, config)
    with pytest.raises(InvalidOptionError, match=r"cannot listen on .*wrong\.pem"):
        await server.start()
    await server.stop()
