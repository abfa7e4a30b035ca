"""A contestant in a process of its own: nobody's idle threads stand in another's way.

Two libraries that compute in parallel in one process have more workers than there are cores, and
OpenMP then lets all of them sleep between operations. People run one of them.
"""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from benchmarks.rounds import Contestant


class Elsewhere:
    """Runs what `make` makes, in a process that ends with this."""

    def __init__(self, make: Callable[[], Contestant]) -> None:
        """`make` is called there, so it must be picklable. Raises what it raises."""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(make, theirs))
        self._process.start()
        theirs.close()
        self.name, self.audio_seconds = self._answer()

    def run(self) -> None:
        """Run once in the other process."""
        self._pipe.send("run")
        self._answer()

    def facts(self) -> dict[str, Any]:
        """What it says of itself."""
        self._pipe.send("facts")
        facts: dict[str, Any] = self._answer()
        return facts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.join()

    def _answer(self) -> Any:  # noqa: ANN401  # whatever was sent
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(make: Callable[[], Contestant], pipe: Connection) -> None:
    """Answer until the other end is closed."""
    try:
        contestant = make()
        pipe.send((contestant.name, contestant.audio_seconds))
        answers: dict[str, Callable[[], object]] = {
            "run": contestant.run,
            "facts": contestant.facts,
        }
        while True:
            pipe.send(answers[pipe.recv()]())
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  # it is raised at the other end
        pipe.send(error)
