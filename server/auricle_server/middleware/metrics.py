"""Metrics for Prometheus: the engine's statistics as they are when it asks, and every call.

Names and units follow the Prometheus conventions: base units, `_total` for what only grows.
"""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from auricle.engine.invariance import Checks
from auricle.engine.statistics import Statistics

OUTCOMES = ("finished", "failed", "cancelled", "expired", "refused")
COUNTERS = {  # of Statistics, by their fields
    "audio_seconds": "Seconds of audio encoded.",
    "tokens": "Tokens in the answers, END included.",
    "encode_seconds": "Seconds that the encoder worked.",
    "decode_seconds": "Seconds that the decoder worked.",
    "steps": "Steps of the decoder.",
}
CHECKS = {  # of Checks, by their fields
    "checked": "Requests that were decoded again, alone, and compared.",
    "different": "Requests that gave other tokens alone than in company.",
    "skipped": "Requests that were chosen to be compared, but were not.",
}
SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # an RPC's, per bucket


class Measured(Protocol):
    """Gives figures that can be read from any thread."""

    def statistics(self) -> Statistics:
        """Count what the engine has done so far, and does now."""
        ...

    def checks(self) -> Checks | None:
        """Count what comparing with decoding alone found; None where it was not asked for."""
        ...


class Metrics:
    """Holds all metrics of one server, in a registry of their own."""

    def __init__(self, recognizer: Measured) -> None:
        """Read `recognizer` whenever the registry is asked."""
        self.registry = CollectorRegistry()
        self.registry.register(EngineCollector(recognizer))
        self._rpcs = Counter(
            "auricle_rpcs", "RPCs that ended.", ["method", "code"], registry=self.registry
        )
        self._seconds = Histogram(
            "auricle_rpc_seconds",
            "Seconds from an RPC's begin to its end.",
            ["method"],
            buckets=SECONDS,
            registry=self.registry,
        )

    def rpc(self, method: str, code: str, seconds: float) -> None:
        """Count a call that ended with the status `code`."""
        self._rpcs.labels(method, code).inc()
        self._seconds.labels(method).observe(seconds)


class EngineCollector(Collector):
    """Collects the statistics of the engine behind a recogniser."""

    def __init__(self, recognizer: Measured) -> None:
        """Ask `recognizer` from whatever thread collects."""
        self._recognizer = recognizer

    def collect(self) -> Iterator[Metric]:
        """Take one snapshot, so that the figures fit each other."""
        statistics = self._recognizer.statistics()
        yield requests(statistics)
        for name, meaning in COUNTERS.items():
            yield counter(name, meaning, getattr(statistics, name))
        yield gauge("queue_length", "Requests that wait for the encoder.", statistics.waiting)
        yield gauge("running", "Requests in the encoder or the decoder.", statistics.running)
        yield gauge(
            "occupancy_ratio", "Mean share of the decoder's slots in use.", statistics.occupancy
        )
        padding = statistics.padding_ratio
        yield gauge("padding_ratio", "Share of the encoder's frames that is padding.", padding)
        if (checks := self._recognizer.checks()) is not None:
            yield from invariance(checks)


def requests(statistics: Statistics) -> Metric:
    """Count the requests that ended, by how they did."""
    family = CounterMetricFamily(
        "auricle_requests", "Pieces of audio that ended, by outcome.", labels=["outcome"]
    )
    for outcome in OUTCOMES:
        family.add_metric([outcome], getattr(statistics, outcome))
    return family


def invariance(checks: Checks) -> Iterator[Metric]:
    """Count what decoding alone found."""
    for name, meaning in CHECKS.items():
        yield counter(f"invariance_{name}", meaning, getattr(checks, name))


def counter(name: str, meaning: str, value: float) -> Metric:
    """Make a metric that only grows; its samples get the suffix `_total`."""
    return CounterMetricFamily(f"auricle_{name}", meaning, value=value)


def gauge(name: str, meaning: str, value: float) -> Metric:
    """Make a metric that rises and falls."""
    return GaugeMetricFamily(f"auricle_{name}", meaning, value=value)
