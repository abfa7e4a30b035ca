"""Checks that company does not change the words: decodes some requests again, alone."""

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from auricle.engine.request import Outcome, Request
from auricle.engine.serving import Serving
from auricle_types.errors import AuricleError, EngineStoppedError, InvalidOptionError
from auricle_types.options import EngineConfig

MAX_BEAM = 32  # of `DecodingOptions`
Tokens = tuple[int, ...]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checks:
    """Counts the checks. `different` are among the `checked`, `skipped` are not."""

    checked: int = 0  # worked out again
    different: int = 0  # and gave other tokens
    skipped: int = 0  # chosen, but the one before was still at work, or it failed alone


class InvarianceChecker:
    """Decodes a share of the requests again, each by itself, and compares the tokens.

    It works on an engine of its own, after the answer is out. One at a time: while it is busy,
    other chosen requests are skipped, so that it never holds up more than a share of the device.
    Requests that sample without a seed are never chosen: their words are new each time.
    """

    def __init__(self, engine: Serving, share: float, random: Random | None = None) -> None:
        """Check each request with probability `share` on `engine`, which is closed with this.

        Raises:
            InvalidOptionError: `share` is not between 0 and 1.
        """
        require_share(share)
        self._engine = engine
        self._share = share
        self._random = random or Random()  # noqa: S311  # chooses samples, not secrets
        self._lock = threading.Lock()
        self._busy = False
        self._checks = Checks()

    @property
    def checks(self) -> Checks:
        """Return the counts so far."""
        with self._lock:
            return self._checks

    def watch(self, request: Request, future: Future[Outcome]) -> None:
        """Compare the outcome of `request`, if it is chosen, with what it gives alone."""
        if repeatable(request) and self._random.random() < self._share:
            samples = request.samples.copy()  # callers may change theirs once they are answered
            again = replace(request, samples=samples, deadline=None)
            future.add_done_callback(partial(self._repeat, again))

    def close(self) -> None:
        """Stop and drop what is under way."""
        self._engine.close(drain=False)

    def _repeat(self, request: Request, answered: Future[Outcome]) -> None:
        if answered.cancelled() or answered.exception() is not None:
            return
        if not self._begin():
            return
        try:
            alone = self._engine.submit(request)
        except AuricleError as error:
            self._failed(error)
            return
        tokens = answered.result().hypothesis.tokens
        alone.add_done_callback(partial(self._compare, tokens))

    def _begin(self) -> bool:
        """Tell whether it was free, and make it busy."""
        with self._lock:
            free, self._busy = not self._busy, True
            if not free:
                self._checks = replace(self._checks, skipped=self._checks.skipped + 1)
            return free

    def _compare(self, together: Tokens, alone: Future[Outcome]) -> None:
        error = alone.exception()
        if error is not None:
            self._failed(error)
            return
        tokens = alone.result().hypothesis.tokens
        differs = tokens != together
        if differs:
            logger.warning(
                "a request gave other tokens in company than alone: %s, alone %s",
                list(together),
                list(tokens),
            )
        self._end(checked=1, different=int(differs))

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, EngineStoppedError):  # which is no trouble
            logger.warning("a request could not be decoded again to compare: %s", error)
        self._end(skipped=1)

    def _end(self, *, checked: int = 0, different: int = 0, skipped: int = 0) -> None:
        with self._lock:
            now, self._busy = self._checks, False
            self._checks = Checks(
                now.checked + checked, now.different + different, now.skipped + skipped
            )


def require_share(share: float) -> None:
    """Raise InvalidOptionError unless `share` is between 0 and 1."""
    if not 0 <= share <= 1:  # so that NaN is refused, too
        raise InvalidOptionError(f"check_invariance must be 0 to 1, not {share}")


def alone_config(config: EngineConfig) -> EngineConfig:
    """Return the budgets of the engine to compare with: room for one request, of any beam.

    An exact one computes all its slots in each step, so there it has as many as the other.
    """
    slots = config.slots if config.exact else min(config.slots, MAX_BEAM)
    return replace(config, max_queue=1, slots=slots, processes=1)


def repeatable(request: Request) -> bool:
    """Tell whether a request gives the same words again: it does not sample, or by a seed."""
    return request.options.temperature == 0 or request.options.seed is not None
