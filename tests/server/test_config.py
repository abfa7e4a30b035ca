"""What an operator may not choose."""

from pathlib import Path
from typing import Any

import pytest

from auricle_server import ServerConfig
from auricle_server.protocols.auricle_grpc.protocol import channel_options
from auricle_types.errors import InvalidOptionError


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": -1},
        {"port": 65_536},
        {"max_message_bytes": 0},
        {"max_message_bytes": 2**31},
        {"max_upload_bytes": -5},
        {"max_audio_seconds": 0.0},
        {"max_audio_seconds": float("nan")},
        {"max_requests": 0},
        {"max_open_requests": 0},
        {"max_requests_per_peer": 0},
        {"stream_idle_seconds": 0.0},
        {"max_pieces_in_flight": 0},
        {"drain_seconds": -1.0},
        {"drain_seconds": float("nan")},
        {"tls_certificate": Path("cert.pem")},
        {"tls_key": Path("key.pem")},
        {"tls_client_ca": Path("ca.pem")},
    ],
    ids=str,
)
def test_values_out_of_range_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionError, match=next(iter(wrong))):
        ServerConfig(**wrong)


def test_the_defaults_are_valid_and_local() -> None:
    assert ServerConfig().host == "127.0.0.1"


def test_the_audio_limits_are_the_configs() -> None:
    limits = ServerConfig(max_audio_seconds=7, max_upload_bytes=9).audio_limits
    assert (limits.max_seconds, limits.max_bytes) == (7, 9)


def test_the_message_limit_reaches_grpc() -> None:
    options = dict(channel_options(ServerConfig(max_message_bytes=12_345)))
    assert options["grpc.max_receive_message_length"] == 12_345


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "localhost:7"), ("::1", "[::1]:7"), ("1.2.3.4", "1.2.3.4:7")],
)
def test_the_address_can_be_given_to_a_client(host: str, address: str) -> None:
    assert ServerConfig(host=host).address(7) == address
