"""Several engines, used like one."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial, reduce
from operator import add

from auricle.engine.request import Outcome, Request
from auricle.engine.serving import Serving
from auricle.engine.statistics import Statistics
from auricle.forks import OwnerProcess
from auricle_types.errors import EngineStoppedError

PAUSE = 1.0  # seconds between two attempts to start an engine

logger = logging.getLogger(__name__)


class _Member:
    """Counts how much audio an engine has to do."""

    def __init__(self, engine: Serving) -> None:
        self.engine = engine
        self.samples = 0  # of audio that is open
        self.ended = False


class EnginePool:
    """Gives each request to the engine with the least audio to do.

    An engine that has ended by itself is replaced; what was open in it has failed, and new requests
    go to the others meanwhile.
    """

    def __init__(self, engines: Sequence[Serving], start: Callable[[], Serving]) -> None:
        """Serve with `engines`, which are closed with this; `start` makes another one."""
        self._members = [_Member(engine) for engine in engines]
        self._home = OwnerProcess()
        self._start = start
        self._lock = threading.RLock()  # a finaliser may cancel a request within it
        self._past = Statistics()  # of engines that have ended
        self._closing = False
        self._starting = threading.Lock()  # one at a time: loading takes memory

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        """Queue a request, as `Engine.submit`, in the engine with the least to do."""
        self._home.check()
        samples = len(request.samples)
        while (member := self._begin(samples)) is not None:
            try:
                future = member.engine.submit(request, block=block)
            except EngineStoppedError:
                self._finish(member, samples)
                self._replace(member)
            except BaseException:
                self._finish(member, samples)
                raise
            else:
                future.add_done_callback(partial(self._done, member, samples))
                return future
        if self._closing:
            raise EngineStoppedError("the engines are stopping and take no new requests")
        raise EngineStoppedError("no engine runs at the moment: try again")

    def statistics(self) -> Statistics:
        """Count for all engines together."""
        self._home.check()
        with self._lock:
            engines, past = [member.engine for member in self._members], self._past
        return reduce(add, (engine.statistics() for engine in engines), past)

    def close(self, *, drain: bool = True) -> None:
        """Close all engines; nothing new comes meanwhile.

        One that is being started in another's place is closed when it is there, by who started it.
        """
        if not self._home.is_here:
            return
        with self._lock:
            self._closing = True
        for member in self._members:
            member.engine.close(drain=drain)

    def _begin(self, samples: int) -> _Member | None:
        """Choose an engine; None where there is none."""
        with self._lock:
            there = [each for each in self._members if not (each.ended or self._closing)]
            member = min(there, key=lambda each: each.samples, default=None)
            if member is not None:
                member.samples += samples
            return member

    def _finish(self, member: _Member, samples: int) -> None:
        with self._lock:
            member.samples -= samples

    def _done(self, member: _Member, samples: int, future: Future[Outcome]) -> None:
        self._finish(member, samples)
        if not future.cancelled() and isinstance(future.exception(), EngineStoppedError):
            self._replace(member)

    def _replace(self, member: _Member) -> None:
        with self._lock:
            known, member.ended = member.ended or self._closing, True
            if not known:  # under the lock: once the pool is closing, nobody is started
                with suppress(RuntimeError):  # nor when the interpreter ends
                    # The interpreter waits for no such thread, as it would for an executor's.
                    threading.Thread(
                        target=self._restart, args=(member,), name="auricle-starter", daemon=True
                    ).start()

    def _restart(self, member: _Member) -> None:
        with self._starting:
            if not self._closing:
                self._start_for(member)

    def _start_for(self, member: _Member) -> None:
        member.engine.close(drain=False)  # it may still be there, without its device thread
        try:
            engine = self._start()
        except Exception:
            logger.exception("an engine has ended, and no other could be started")
            time.sleep(PAUSE)  # whoever made it fail may be asking all the time
            member.ended = False  # the next request finds it so, and tries again
            return
        if late := self._exchange(member, engine):
            late.close(drain=False)
            return
        logger.warning("an engine has ended; another one has taken its place")

    def _exchange(self, member: _Member, engine: Serving) -> Serving | None:
        """Let `engine` take the place of `member`; where the pool is closing, it comes too late."""
        past = member.engine.statistics()
        with self._lock:
            if self._closing:
                return engine
            self._past += past.at_rest
            self._members[self._members.index(member)] = _Member(engine)
        return None
