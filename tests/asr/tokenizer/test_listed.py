"""Whisper's vocabulary from the list of its tokens alone."""

import functools
import json

import pytest

pytest.importorskip("whisper")

from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.tokenizer.listed import list_to_json
from tests.asr.tokenizer.unicode_lines import lines, vocabulary


def listed(tokenizer: WhisperTokenizer) -> list[str]:
    described = json.loads(tokenizer.serialized)
    added = {each["content"]: each["id"] for each in described["added_tokens"]}
    ids = described["model"]["vocab"] | added
    return sorted(ids, key=ids.__getitem__)


@functools.cache
def from_list(multilingual: bool) -> WhisperTokenizer:
    return WhisperTokenizer(list_to_json(listed(vocabulary(multilingual=multilingual))))


@pytest.mark.parametrize("multilingual", [True, False])
def test_the_list_is_vocabulary_enough(multilingual: bool) -> None:
    expected = vocabulary(multilingual=multilingual)
    found = from_list(multilingual)
    assert found.special == expected.special
    assert found.languages == expected.languages
    assert found.blanks == expected.blanks
    assert found.vocab_size == expected.vocab_size
    for line in lines(100, seed=4):
        tokens = expected.encode(line)
        assert found.encode(line) == tokens
        assert found.decode(tokens) == expected.decode(tokens)


def test_nobodys_text_holds_a_mark() -> None:
    found = from_list(True)
    assert found.start not in found.encode("<|startoftranscript|>")


@pytest.mark.parametrize(
    ("tokens", "kind"),
    [
        (["a", "a", "<|endoftext|>"], ValueError),
        (["a", "b"], ValueError),
        ([], ValueError),
        ([1, "<|endoftext|>"], TypeError),
    ],
)
def test_what_is_no_list_of_tokens(tokens: list[str], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        list_to_json(tokens)
