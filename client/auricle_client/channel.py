"""How the clients' channels behave: retries, keepalive, sizes. Left to gRPC itself."""

import json

DEFAULT_TARGET = "localhost:50051"

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
