from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle_cli.load import Traffic
from auricle_cli.load.traffic import PATIENCE_SECONDS
from auricle_client import InvalidOptionError

SHARES = st.floats(0, 1)
TRAFFIC = st.builds(
    Traffic,
    rate=st.floats(0.1, 50),
    duration=st.floats(0.1, 20),
    streams=SHARES,
    disconnects=SHARES,
    garbage=SHARES,
    seed=st.integers(0, 1000),
)


@given(TRAFFIC)
def test_arrivals_keep_to_what_was_asked_for(traffic: Traffic) -> None:
    arrivals = list(traffic.arrivals())
    assert all(a.at < b.at for a, b in pairwise(arrivals))
    for each in arrivals:
        assert 0 < each.at < traffic.duration
        assert traffic.shortest <= each.seconds <= traffic.longest
        assert 0 <= each.place < 1
        assert each.leaves_after is None or 0 <= each.leaves_after <= PATIENCE_SECONDS


@given(TRAFFIC)
def test_the_same_seed_gives_the_same_arrivals(traffic: Traffic) -> None:
    assert list(traffic.arrivals()) == list(traffic.arrivals())


@given(TRAFFIC, SHARES)
def test_a_share_changes_nothing_else(traffic: Traffic, share: float) -> None:
    other = replace(traffic, garbage=share, disconnects=share, streams=share)
    before = [(each.at, each.place, each.seconds) for each in traffic.arrivals()]
    assert [(each.at, each.place, each.seconds) for each in other.arrivals()] == before


def test_gaps_are_those_of_a_poisson_process() -> None:
    arrivals = [each.at for each in Traffic(rate=20, duration=500, seed=3).arrivals()]
    gaps = [b - a for a, b in pairwise(arrivals)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(1 / 20, rel=0.05)
    assert variance == pytest.approx(mean**2, rel=0.1)  # of exponential gaps


def test_shares_are_shares() -> None:
    traffic = Traffic(rate=20, duration=200, streams=0.5, disconnects=0.1, garbage=0.2)
    arrivals = list(traffic.arrivals())
    for name, share in (("streams", 0.5), ("leaves_after", 0.1), ("garbage", 0.2)):
        count = sum(getattr(each, name) not in (False, None) for each in arrivals)
        assert count / len(arrivals) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_share_is_nobody_and_the_whole_is_everybody(share: float) -> None:
    traffic = Traffic(rate=50, duration=5, streams=share, disconnects=share, garbage=share)
    for each in traffic.arrivals():
        assert each.streams == each.garbage == (each.leaves_after is not None) == bool(share)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"rate": 0.0}, "rate must be above 0"),
        ({"rate": float("nan")}, "rate must be above 0"),
        ({"duration": -1.0}, "duration must be above 0"),
        ({"duration": float("inf")}, "duration must be above 0 and finite"),
        ({"shortest": 0.0}, "shortest"),
        ({"shortest": 9.0, "longest": 3.0}, r"shortest \(9 s\)"),
        ({"streams": 1.5}, "streams must be 0 to 1"),
        ({"disconnects": -0.1}, "disconnects must be 0 to 1"),
        ({"garbage": 2.0}, "garbage must be 0 to 1"),
    ],
)
def test_what_makes_no_traffic_is_refused(fault: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        Traffic(**fault)  # type: ignore[arg-type]  # a seed is no float
