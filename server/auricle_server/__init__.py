"""The gRPC service: RPC in, RPC out, no mathematics. `serve` runs it until a signal comes."""

from auricle_server.config import ServerConfig
from auricle_server.lifecycle import SpeechServer, serve

__all__ = ["ServerConfig", "SpeechServer", "serve"]
