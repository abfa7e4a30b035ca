"""OpenAI's Realtime API over a websocket: transcription sessions."""

from auricle_server.protocols.openai_http.realtime.secrets import ClientSecrets
from auricle_server.protocols.openai_http.realtime.socket import RealtimeSockets

__all__ = ["ClientSecrets", "RealtimeSockets"]
