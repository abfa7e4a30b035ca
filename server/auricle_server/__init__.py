"""The server: protocols around one service, no mathematics. `serve` runs it until a signal comes.

`listeners` starts the `protocols`, which convert messages and call the `service`; each call passes
the `middleware`.
"""

from auricle_server.config import ServerConfig
from auricle_server.listeners import SpeechServer, configured_protocols, serve

__all__ = ["ServerConfig", "SpeechServer", "configured_protocols", "serve"]
