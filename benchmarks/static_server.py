"""`auricle serve` with static batching, to compare with: python -m benchmarks.static_server serve.

A batch is decoded until its last utterance has ended; what comes meanwhile waits. The model, the
kernels and all else are the same.
"""

from typing import Any
from unittest.mock import patch

from auricle import host
from auricle.engine import ModelRunner
from auricle.engine.request import Room
from auricle_cli.main import main as auricle


class StaticRunner(ModelRunner):
    """Has room only while nothing runs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*arguments, **options)
        self._idle = super().room

    @property
    def room(self) -> Room:
        """Room for a whole batch, or none."""
        return self._idle if super().room == self._idle else Room(slots=0, cache_bytes=0)


def main() -> None:
    """The command line, with the other runner."""
    with patch.object(host, "ModelRunner", StaticRunner):
        auricle()


if __name__ == "__main__":
    main()
