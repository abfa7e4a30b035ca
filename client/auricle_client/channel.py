"""How the clients' channels behave: retries, keepalive, sizes. Left to gRPC itself."""

import json
import os

from auricle_client.target import Target

KEEPALIVE_TIME_MS = 30_000  # a ping after this much silence; the server allows one in 10 s
KEEPALIVE_TIMEOUT_MS = 10_000  # and this long without an answer ends the connection
RETRY_BUFFER_BYTES = 8 * 1024 * 1024  # requests up to this size can be sent again
RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],  # the one code after which asking again helps
}
SERVICE_CONFIG = {
    "methodConfig": [{"name": [{"service": "auricle.v1.Speech"}], "retryPolicy": RETRY_POLICY}]
}

OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.per_rpc_retry_buffer_size", RETRY_BUFFER_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.max_receive_message_length", -1),  # transcripts come from a server that was chosen
)

PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")  # variables, as gRPC reads them


def options_for(target: Target) -> tuple[tuple[str, str | int], ...]:
    """The options of a channel; a server on this machine is never reached by a proxy."""
    return (*OPTIONS, ("grpc.enable_http_proxy", 0)) if target.is_here else OPTIONS


def proxy_hint() -> str:
    """What may be in the way of a server that cannot be reached; empty where no proxy is set."""
    name = next((name for name in PROXIES if os.environ.get(name)), None)
    if name is None:
        return ""
    return f" ({name} is set: if the server needs no proxy, name it in no_proxy)"
