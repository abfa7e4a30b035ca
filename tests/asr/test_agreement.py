"""LocalAgreement by hand-written hypotheses, and by any that hypothesis finds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auricle.agreement import LocalAgreement, Wording
from auricle.hypothesis import Hypothesis


def wording(text: str) -> Wording:
    """One token a letter; each token is the letter's code."""
    tokens = tuple(map(ord, text))
    return Wording(text, Hypothesis(tokens, -float(len(text))), tuple(range(1, len(text) + 1)))


def agreed(*texts: str) -> str:
    """What is stable in the end."""
    agreement = LocalAgreement()
    for text in texts:
        said = wording(agreement.text + text.removeprefix(agreement.text))
        count = agreement.agreed(said)
        if (agreement.prefix is None or count > len(agreement.prefix.tokens)) and count:
            agreement.accept(said, count)
        agreement.remember(said, 0.0)
    return agreement.text


def test_one_hypothesis_makes_nothing_stable() -> None:
    assert agreed("the cat sat") == ""


def test_words_of_two_are_stable_but_for_the_last() -> None:
    assert agreed("the cat", "the cat") == "the"
    assert agreed("the cat", "the cat sat") == "the cat"
    assert agreed("the cats", "the cat sat") == "the"
    assert agreed("the cat", "the cats sat") == "the"
    assert agreed("a cat", "the cat sat") == ""


def test_scripts_without_spaces_are_stable_by_the_letter() -> None:
    assert agreed("今日は", "今日はい") == "今日は"


def test_a_token_that_is_part_of_a_letter_is_none_that_ends_the_prefix() -> None:
    agreement = LocalAgreement()
    said = Wording("an é x", Hypothesis((1, 2, 3, 4), -4.0), (2, -1, 4, 6))
    agreement.remember(said, 1.0)
    assert agreement.agreed(said) == 3
    agreement.accept(said, 3)
    assert (agreement.text, agreement.prefix) == ("an é", Hypothesis((1, 2, 3), -2.4, ended=False))


def test_of_tokens_that_say_nothing_behind_a_word_none_is_stable() -> None:
    agreement = LocalAgreement()
    said = Wording("sat down", Hypothesis((1, 2, 3, 4), -4.0, language="de"), (3, 3, 3, 8))
    agreement.remember(said, 1.0)
    assert agreement.agreed(said) == 1
    agreement.accept(said, 1)
    assert agreement.prefix == Hypothesis((1,), -0.8, ended=False, language="de")


@given(st.lists(st.text(alphabet="ab ", max_size=12), max_size=6))
def test_stable_words_only_grow(texts: list[str]) -> None:
    stable = [agreed(*texts[:count]) for count in range(len(texts) + 1)]
    for before, after in pairwise(stable):
        assert after.startswith(before)
