"""Addresses of servers: as people write them, wrong ones, proxies, and several event loops."""

import asyncio

import pytest

from auricle_client import AsyncClient, Client
from auricle_client.channel import OPTIONS, options_for, proxy_hint
from auricle_client.target import Target
from auricle_server import ServerConfig
from auricle_types.errors import InvalidOptionError, ServerUnavailableError
from tests.client.conftest import serving
from tests.server.fakes import FakeRecognizer


@pytest.mark.parametrize(
    ("text", "address", "is_here"),
    [
        ("localhost:50051", "localhost:50051", True),
        ("localhost", "localhost:50051", True),
        ("host:", "host:50051", False),
        ("LOCALHOST:7", "LOCALHOST:7", True),
        ("127.0.0.1:1", "127.0.0.1:1", True),
        ("127.0.0.53", "127.0.0.53:50051", True),
        ("[::1]:65535", "[::1]:65535", True),
        ("[2001:db8::1]", "[2001:db8::1]:50051", False),
        ("speech.example.org", "speech.example.org:50051", False),
        ("127.example.org:80", "127.example.org:80", False),
        ("unix:/run/auricle.sock", "unix:/run/auricle.sock", True),
        ("dns:///speech.example.org:80", "dns:///speech.example.org:80", False),
    ],
)
def test_an_address_is_read(text: str, address: str, *, is_here: bool) -> None:
    assert Target.parse(text) == Target(address, is_here)


@pytest.mark.parametrize(
    "text", ["", ":50051", "host:0", "host:99999", "host:port", "http://host:1", "a b:1"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(InvalidOptionError, match=r"HOST:PORT|from 1 to 65535"):
        Target.parse(text)
    for kind in (Client, AsyncClient):
        with pytest.raises(InvalidOptionError):
            kind(text)


def test_this_machine_is_never_reached_by_a_proxy() -> None:
    proxyless = ("grpc.enable_http_proxy", 0)
    assert options_for(Target.parse("localhost")) == (*OPTIONS, proxyless)
    assert options_for(Target.parse("speech.example.org")) == OPTIONS


def test_a_proxy_that_may_be_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_hint() == ""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    unreachable = pytest.raises(ServerUnavailableError, match="http_proxy is set")
    with Client("speech.example.invalid:1") as client, unreachable:
        client.list_models(timeout=20)


def test_an_asynchronous_client_serves_one_loop_after_another(recognizer: FakeRecognizer) -> None:
    with serving(recognizer, ServerConfig(host="127.0.0.1", port=0)) as address:
        client = AsyncClient(address)  # before any loop runs, as at the top of a module

        async def models() -> int:
            return len(await client.list_models(timeout=20))

        assert [asyncio.run(models()) for _ in range(2)] == [1, 1]

        async def end() -> None:
            await models()
            await client.close()

        asyncio.run(end())
