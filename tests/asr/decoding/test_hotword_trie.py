"""The trie of hotwords, against the definition of what a text gains."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.decoding.hotword_trie import ROOT, HotwordScorer, HotwordTrie, Phrase

VOCAB = 5
CONTINUES = np.array([False, False, False, True, True])
tokens = st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=4).map(tuple)
phrases = st.lists(
    st.builds(Phrase, tokens, st.sampled_from([0.5, 1.0, 2.0]), st.booleans()),
    max_size=8,
    unique_by=lambda phrase: phrase.tokens,
)
texts = st.lists(st.integers(0, VOCAB - 1), max_size=12)


def expected(said: list[int], listed: list[Phrase]) -> float:
    """Whole phrases in the text, and the best beginning of one at its end."""
    total = 0.0
    for phrase in listed:
        length = len(phrase.tokens)
        for start in range(len(said) - length + 1):
            end = start + length
            is_cut = end < len(said) and CONTINUES[said[end]]
            if tuple(said[start:end]) == phrase.tokens and not (phrase.ends_word and is_cut):
                total += phrase.weight * length
    begun = [
        phrase.weight * count**2 / len(phrase.tokens)
        for phrase in listed
        for count in range(1, len(phrase.tokens))
        if tuple(said[-count:]) == phrase.tokens[:count]
    ]
    return total + max(begun, default=0.0)


def bonuses(said: list[int], trie: HotwordTrie) -> list[float]:
    state, found = ROOT, []
    for token in said:
        found.append(trie.bonus(state, token))
        state = trie.following(state, token)
    return found


@given(listed=phrases, said=texts)
def test_bonuses_add_up_to_the_definition(listed: list[Phrase], said: list[int]) -> None:
    trie = HotwordTrie(listed, CONTINUES)
    assert sum(bonuses(said, trie)) == pytest.approx(expected(said, listed))


@given(listed=phrases, said=texts)
def test_gains_rank_all_tokens_as_their_bonuses_do(listed: list[Phrase], said: list[int]) -> None:
    """What a search is shown differs from the bonus by the same number for every token."""
    trie = HotwordTrie(listed, CONTINUES)
    state = ROOT
    for token in said:
        state = trie.following(state, token)
    chosen, gains = trie.gains(state)
    assert len(set(chosen.tolist())) == len(chosen)
    shown = np.zeros(VOCAB)
    shown[chosen] = gains
    shown[CONTINUES] -= trie.pending(state)
    found = np.array([trie.bonus(state, token) for token in range(VOCAB)])
    assert found - shown == pytest.approx(np.full(VOCAB, (found - shown)[0]), abs=1e-5)


def test_a_phrase_that_breaks_off_gives_its_boost_back() -> None:
    trie = HotwordTrie([Phrase((0, 1, 2), 3.0)], CONTINUES)
    assert bonuses([0, 1, 0, 1, 2, 0], trie) == [1.0, 3.0, -3.0, 3.0, 5.0, 1.0]


def test_the_end_of_a_text_counts_as_a_break() -> None:
    end = 2
    trie = HotwordTrie([Phrase((0, 1, 0), 3.0)], CONTINUES)
    assert bonuses([0, 1, end], trie) == [1.0, 3.0, -4.0]


def test_a_phrase_within_a_longer_word_does_not_count() -> None:
    trie = HotwordTrie([Phrase((0,), 1.0)], CONTINUES)
    assert bonuses([0, 3, 0, 1], trie) == [1.0, -1.0, 1.0, 0.0]


def test_where_one_phrase_fails_another_goes_on() -> None:
    trie = HotwordTrie([Phrase((0, 1, 2), 3.0), Phrase((1, 0), 2.0)], CONTINUES)
    # 4 are given back, (1, 0) gives 4, and the last token may begin the first phrase again
    assert bonuses([0, 1, 0], trie) == [1.0, 3.0, 1.0]


def test_without_phrases_there_is_no_bonus() -> None:
    trie = HotwordTrie([], CONTINUES)
    assert bonuses([0, 3, 1], trie) == [0.0, 0.0, 0.0]
    assert len(trie.gains(ROOT)[0]) == 0


def test_each_hypothesis_has_its_own_state() -> None:
    scorer = HotwordScorer(HotwordTrie([Phrase((0, 1), 2.0)], CONTINUES))
    scorer.advance([0, 0], [0, 2])
    assert [scorer.bonus(row, 1) for row in (0, 1)] == [3.0, 0.0]
    scorer.advance([1, 0, 0], [0, 1, 2])
    assert [scorer.bonus(row, 1) for row in (0, 1, 2)] == [3.0, 0.0, 0.0]
