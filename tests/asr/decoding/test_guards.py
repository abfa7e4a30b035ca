"""What is no speech ends, and speech does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.decoding import BeamSearch
from auricle.decoding.guards import Guard, RateGuard, SilenceGuard, new_guards
from auricle.decoding.repetition import RepetitionGuard
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from tests.asr.decoding.scripted import ScriptedDecoder, shown

END = Tokenizer.end_id


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("aaa", None),
        ("aaaa", "a"),
        ("xaaaa", "xa"),
        ("abababab", "ab"),
        ("xabababab", "xab"),
        ("abababa", None),
        ("abcabcabcabc", "abc"),
        ("abcdabcdabcd", None),
        ("abcdabcdabcdabcd", None),  # longer than what is looked for
        ("", None),
        ("aabbaabb", None),
    ],
)
def test_more_than_three_times_the_same_is_once(said: str, kept: str | None) -> None:
    guard = RepetitionGuard(times=3, longest=3)
    expected = None if kept is None else tuple(map(ord, kept))
    assert guard.cut(tuple(map(ord, said))) == expected


@given(st.lists(st.integers(4, 6), max_size=40))
def test_a_text_that_grows_is_cut_as_soon_as_it_repeats(tokens: list[int]) -> None:
    """Against the definition, looked for everywhere."""
    guard = RepetitionGuard(times=3, longest=4)
    for end in range(len(tokens) + 1):
        grown = tuple(tokens[:end])
        sizes = [size for size in range(1, 5) if grown[-size:] * 4 == grown[-4 * size :] != ()]
        found = guard.cut(grown)
        assert (found is not None) == bool(sizes)
        if found is not None:
            assert found == grown[: end - 3 * sizes[0]]
            return


@pytest.mark.parametrize(("count", "kept"), [(4, None), (5, 5), (6, 6)])
def test_too_many_tokens_end(count: int, kept: int | None) -> None:
    found = RateGuard(5).cut((4,) * count)
    assert (len(found) if found else None) == kept


def test_where_nothing_is_heard_nothing_is_said() -> None:
    assert SilenceGuard(True).cut(()) == ()
    assert SilenceGuard(False).cut(()) is None
    search = BeamSearch(3, 9, guards=[SilenceGuard(True)], end=Tokenizer.end_id)
    assert search.done
    assert search.best() == Hypothesis((), 0.0, ended=False, guards=("silence",))
    assert not BeamSearch(3, 9, guards=[SilenceGuard(False)], end=Tokenizer.end_id).done


def test_a_loop_ends_a_greedy_search() -> None:
    search = BeamSearch(1, 99, guards=[RepetitionGuard(times=2, longest=2)], end=Tokenizer.end_id)
    for token in (7, 5, 6, 5, 6, 5):
        assert search.extend(shown([(-0.5, token), (-9.0, END)])) == [0]
        assert not search.done
    assert search.extend(shown([(-0.5, 6), (-9.0, END)])) == []
    assert search.done
    assert search.best() == Hypothesis((7, 5, 6), -3.5, ended=False, guards=("repetition",))


def test_a_loop_is_one_hypothesis_of_a_beam() -> None:
    """The others go on, in their own rows."""
    search = BeamSearch(2, 99, guards=[RepetitionGuard(times=1, longest=1)], end=Tokenizer.end_id)
    assert search.extend(shown([(-0.1, 5), (-0.2, 6), (-9.0, END)])) == [0, 0]
    assert search.extend(shown([(-0.1, 5), (-9.0, 4)], [(-0.3, 7), (-9.0, 4)])) == [1]
    assert [h.tokens for h in search.live] == [(6, 7)]
    assert [h.tokens for h in search.ended] == [(5,)]
    assert not search.done
    assert search.extend(shown([(-0.25, END)])) == []
    assert search.done
    assert search.best() == Hypothesis((5,), -0.2, ended=False, guards=("repetition",))
    search.length_penalty = 2.0
    assert search.best() == Hypothesis((6, 7), -0.75)


def test_a_guard_that_does_not_fire_changes_nothing() -> None:
    decoder = ScriptedDecoder(40, end_bonus=1.0)
    guards: list[Guard] = [SilenceGuard(False), RepetitionGuard(), RateGuard(50)]
    for script in range(20):
        expected = decoder.search(script, BeamSearch(3, 12, end=Tokenizer.end_id))
        assert (
            decoder.search(script, BeamSearch(3, 12, guards=guards, end=Tokenizer.end_id))
            == expected
        )


def test_one_utterances_guards() -> None:
    silence, repetition, rate = guards = new_guards(2.0, 10.0, silent=True)
    assert [guard.name for guard in guards] == ["silence", "repetition", "rate"]
    assert isinstance(repetition, RepetitionGuard)
    assert silence.cut(()) == ()
    assert rate.cut((4,) * 27) is None
    assert rate.cut((4,) * 28) is not None
    assert new_guards(2.0, 10.0, silent=False)[0].cut(()) is None
