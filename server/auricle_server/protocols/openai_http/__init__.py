"""HTTP: OpenAI's audio API, models and health."""

from auricle_server.protocols.openai_http.protocol import HttpProtocol

__all__ = ["HttpProtocol"]
