"""The models that are served, and whether the server is well."""

import time
from typing import Any

from auricle_server.protocols.openai_http.aliases import served_name
from auricle_server.service import SpeechService


class Pages:
    """Answers what costs nothing, also while the server is full."""

    def __init__(self, service: SpeechService) -> None:
        """Describe what `service` serves."""
        self._service = service
        self._since = int(time.time())

    def models(self) -> dict[str, Any]:
        """List the one model that is served."""
        return {"object": "list", "data": [self._model(self._service.recognizer.model_id)]}

    def model(self, name: str) -> dict[str, Any]:
        """Describe one model. Raises UnknownModelError."""
        self._service.check_model(served_name(name))
        return self._model(name)

    def live(self) -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "live"}

    def ready(self) -> dict[str, str]:
        """Say that requests are taken. Raises EngineStoppedError once the server drains."""
        self._service.check_open()
        return {"status": "ready"}

    def _model(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._since, "owned_by": "auricle"}
