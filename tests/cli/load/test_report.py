import math
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle_cli.load import (
    Arrival,
    Clips,
    LoadReport,
    Percentiles,
    RequestResult,
    Traffic,
    measure,
)
from auricle_cli.load.generator import LEFT, REFUSED_GARBAGE, UNFINISHED
from auricle_client import AsyncClient, Receipt
from tests.cli.load.virtual import Server, run

TRAFFIC = Traffic(rate=1.0, duration=10.0)


def ended(at: float, latency: float = 1.0, reason: str | None = None) -> RequestResult:
    receipt = None if reason else Receipt("m", 0.1, 0.2, 0.3, batch_size=4, padding_ratio=0.1)
    seconds = 0.0 if reason else 5.0
    return RequestResult(Arrival(at, 0.5, 5.0), 0.01, latency, reason, None, seconds, receipt)


@given(st.lists(st.floats(0, 1000), min_size=1))
def test_percentiles_are_values_in_order(values: list[float]) -> None:
    found = Percentiles.of(values)
    assert found is not None
    assert found.p50 <= found.p95 <= found.p99
    assert {found.p50, found.p95, found.p99} <= {round(value, 4) for value in values}
    below = sum(round(value, 4) <= found.p95 for value in values)
    assert below >= math.ceil(0.95 * len(values))


def test_percentiles_by_hand() -> None:
    assert Percentiles.of(range(100, 0, -1)) == Percentiles(50, 95, 99)
    assert Percentiles.of([3.0]) == Percentiles(3.0, 3.0, 3.0)
    assert Percentiles.of([]) is None


def test_rates_and_means() -> None:
    report = LoadReport.of(TRAFFIC, [ended(1.0), ended(2.0, 3.0), ended(9.5, 2.5)])
    assert (report.requests, report.answered) == (3, 3)
    assert report.offered_rate == 0.3
    assert report.answered_rate == 0.25  # in the 12 s until the last one's end
    assert report.audio_seconds_per_second == 1.25
    assert report.keeps_up == pytest.approx(2 / 3, abs=1e-4)
    assert report.latency == Percentiles(2.5, 3.0, 3.0)
    assert report.first_result is None
    means = (report.queue_seconds, report.batch_size, report.padding_efficiency)
    assert means == (0.1, 4.0, 0.9)
    assert report.generator_delay == 0.01


def test_failures_are_counted_by_reason_and_have_no_latency() -> None:
    reasons = [LEFT, REFUSED_GARBAGE, "QUEUE_FULL", "QUEUE_FULL", UNFINISHED, None]
    report = LoadReport.of(TRAFFIC, [ended(1.0, reason=reason) for reason in reasons])
    assert report.errors == {"QUEUE_FULL": 2, UNFINISHED: 1}
    assert (report.left, report.garbage_refused, report.answered) == (1, 1, 1)
    assert report.keeps_up == 0.5
    assert report.latency == Percentiles(1.0, 1.0, 1.0)


@pytest.mark.parametrize("ends", [[], [ended(1.0, reason="QUEUE_FULL")]])
def test_without_an_answer_there_are_no_latencies(ends: Sequence[RequestResult]) -> None:
    report = LoadReport.of(TRAFFIC, ends)
    assert report.latency is None
    assert report.batch_size is None
    assert "latency              none" in report.to_text()


def test_the_text_says_what_went_wrong() -> None:
    text = LoadReport.of(TRAFFIC, [ended(1.0), ended(1.0, reason="QUEUE_FULL")]).to_text()
    assert "2, 1 answered" in text
    assert "error QUEUE_FULL     1" in text
    assert "padding efficiency   90.0%" in text
    assert "hung up" not in text


def test_a_run_is_offered_and_reported() -> None:
    client = cast(AsyncClient, Server(seconds=0.5))
    traffic = Traffic(rate=2.0, duration=20.0, streams=0.5)
    report = run(measure(client, traffic, Clips([b"audio"])))
    assert report.requests == report.answered == sum(1 for _ in traffic.arrivals())
    assert report.first_result is not None
    assert report.latency is not None
    assert report.first_result.p50 < report.latency.p50
    assert report.to_dict()["latency"]["p50"] == report.latency.p50
