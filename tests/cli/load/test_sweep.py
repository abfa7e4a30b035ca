from typing import cast

import pytest

from auricle_cli.load import (
    Clips,
    LoadReport,
    RequestSettings,
    Saturation,
    Traffic,
    measure,
    saturation,
)
from auricle_cli.load.sweep import DOUBLINGS
from auricle_client import AsyncClient
from tests.cli.load.virtual import Server, run

OFFERED: list[Traffic] = []


def found(seconds: float, traffic: Traffic) -> Saturation:
    """Of a server that takes so long for each request, one at a time."""
    OFFERED.clear()

    async def send_all(more: Traffic) -> LoadReport:
        OFFERED.append(more)
        client = cast(AsyncClient, Server(seconds))
        return await measure(client, more, Clips([b"audio"]), RequestSettings(patience=0.0))

    return run(saturation(send_all, traffic))


@pytest.mark.parametrize("capacity", [3.0, 10.0, 47.0])
def test_the_rate_is_what_the_server_can_do(capacity: float) -> None:
    answer = found(1 / capacity, Traffic(rate=1.0, duration=60.0, streams=0.0))
    assert answer.reached
    assert answer.rate == pytest.approx(capacity, rel=0.1)


def test_rates_double_and_nobody_is_to_blame_but_the_server() -> None:
    found(0.1, Traffic(rate=2.0, duration=20.0, streams=0.0, garbage=0.5, disconnects=0.5))
    rates = [each.rate for each in OFFERED]
    assert rates == [2.0 * 2**number for number in range(len(rates))]
    assert len({each.seed for each in OFFERED}) == len(rates)
    assert {(each.garbage, each.disconnects) for each in OFFERED} == {(0.0, 0.0)}


def test_a_server_that_is_never_full_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle_cli.load.sweep.DOUBLINGS", 4)
    answer = found(0.0, Traffic(rate=1.0, duration=20.0, streams=0.0))
    assert not answer.reached
    assert len(answer.runs) == 4 < DOUBLINGS
    assert "not yet full at" in answer.to_text()


def test_the_answer_in_words_and_values() -> None:
    answer = found(0.2, Traffic(rate=2.0, duration=30.0, streams=0.0))
    assert f"full at {answer.rate:.2f} requests/s" in answer.to_text()
    assert len(answer.to_text().splitlines()) == len(answer.runs) + 2
    values = answer.to_dict()
    assert values["saturation_rate"] == answer.rate
    assert len(values["runs"]) == len(answer.runs)
