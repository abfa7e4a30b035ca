"""Which prompts can be told, and which are refused before anybody shares a step with them."""

import pytest

pytest.importorskip("whisper")

from auricle.families.whisper.policy import WhisperPolicy
from auricle.families.whisper.prompts import plain_prompt, prompt_tokens
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from tests.asr.tokenizer.unicode_lines import vocabulary

CONTEXT = 48


def check(prompt: str | tuple[int, ...]) -> None:
    WhisperPolicy(vocabulary(), CONTEXT).check(DecodingOptions(prompt=prompt))


def test_as_much_as_the_context_holds_is_told() -> None:
    check(tuple(range(100, 100 + CONTEXT)))
    check(" word" * CONTEXT)
    with pytest.raises(InvalidOptionError, match=r"prompt has 49 tokens .*48.* last 23"):
        check(tuple(range(100, 101 + CONTEXT)))
    with pytest.raises(InvalidOptionError, match="shorten it"):
        check(" word" * 60)


@pytest.mark.parametrize("token", [-1, 51_865, 60_000])
def test_tokens_of_another_vocabulary_are_refused(token: int) -> None:
    with pytest.raises(InvalidOptionError, match=rf"prompt: tokens \[{token}\]"):
        check((5, token, 7))


def test_text_begins_with_a_space_and_nothing_is_nothing() -> None:
    assert prompt_tokens(vocabulary(), "Anna ") == tuple(vocabulary().encode(" Anna"))
    assert prompt_tokens(vocabulary(), (1, 2)) == (1, 2)
    for nothing in (None, "", "  ", ()):
        assert prompt_tokens(vocabulary(), nothing) == ()


def test_who_asks_for_nothing_is_english() -> None:
    assert plain_prompt(vocabulary()).tokens == (50258, 50259, 50359, 50363)
    assert plain_prompt(vocabulary(multilingual=False)).tokens == (50257, 50362)
