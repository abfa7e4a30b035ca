import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rounds import MiscountError, Standing, alternate, in_turn, ratio
from tests.benchmarks.fakes import Counter, Watch


def test_contestants_take_turns() -> None:
    book: list[str] = []
    standings = alternate([Counter("a", book), Counter("b", book)], rounds=3)
    assert book == ["a", "b"] * 3
    assert {name: len(standing.speeds) for name, standing in standings.items()} == {"a": 3, "b": 3}
    assert standings["b"].facts == {"fact": "b"}


@pytest.mark.parametrize(("ours", "theirs"), [(4, 4), (4, 1), (2, 4), (2, 0)])
def test_ours_and_theirs_alternate_and_none_is_lost(ours: int, theirs: int) -> None:
    mine = [Counter(f"ours {number}", []) for number in range(ours)]
    peers = [Counter(f"peer {number}", []) for number in range(theirs)]
    order = [each.name for each in in_turn(mine, peers)]
    pairs = 2 * min(ours, theirs)
    assert [name[:4] for name in order[:pairs]] == ["ours", "peer"] * (pairs // 2)
    assert sorted(order) == sorted(each.name for each in [*mine, *peers])


def test_speed_is_audio_over_time() -> None:
    clock = Watch([2.0, 4.0, 0.5])
    standing = alternate([Counter("a", [], audio_seconds=8.0)], rounds=3, clock=clock)["a"]
    assert standing.speeds == [4.0, 2.0, 16.0]
    assert standing.speed == 4.0


def test_a_ratio_compares_round_by_round() -> None:
    standings = {"a": Standing([10.0, 2.0, 9.0], {}), "b": Standing([5.0, 2.0, 3.0], {})}
    assert ratio(standings, "a", "b") == 2.0
    assert ratio(standings, "b", "a") == 0.5


def test_there_is_no_ratio_to_who_did_not_run() -> None:
    standings = {"a": Standing([1.0], {})}
    assert ratio(standings, "a", "b") is None
    assert ratio(standings, "b", "a") is None
    assert ratio(standings, "a", None) is None


def test_a_standing_says_each_round_and_its_facts() -> None:
    standing = Standing([3.0, 1.0, 2.0], {"dtype": "float32"})
    assert standing.to_dict() == {
        "audio_seconds_per_second": 2.0,
        "rounds": [3.0, 1.0, 2.0],
        "dtype": "float32",
    }


@given(st.lists(st.integers(1, 40), min_size=1), st.integers(1, 40))
def test_a_wrong_count_is_an_error(counts: list[int], tokens: int) -> None:
    if set(counts) == {tokens}:
        MiscountError.check("peer", counts, tokens)
        return
    with pytest.raises(MiscountError, match=f"peer made .* where {tokens} were asked for"):
        MiscountError.check("peer", counts, tokens)
