"""Hotwords as tokens: spellings, spaces, and what cannot be written."""

import pytest

from auricle.decoding import ScorerFactory, hotword_tokens
from auricle.decoding.hotword_tokens import HotwordTries
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle.tokenizer.byte_pairs import BytePairTokenizer, serialize
from auricle_types.errors import InvalidOptionError
from auricle_types.hotwords import Hotword
from auricle_types.options import DecodingOptions
from tests.asr.tiny import tiny_config, tiny_tokenizer


def byte_pairs() -> BytePairTokenizer:
    signs = ["\u0120", *"abcdefghijklmnopqrstuvwxyzKNY'", "\u0120k", "\u00e5"]
    ids = {sign: number for number, sign in enumerate(signs)}
    special = {"<s>": len(ids), "</s>": len(ids) + 1}
    return BytePairTokenizer(serialize(ids, [("\u0120", "k")], special))


def tries(vocabulary: Vocabulary) -> HotwordTries:
    return HotwordTries(vocabulary, vocabulary.vocab_size)


def spelt(vocabulary: Vocabulary, phrase: str) -> list[str]:
    found = tries(vocabulary).phrases(Hotword(phrase, 3.0))
    assert all(each.weight == 3.0 and each.ends_word for each in found)
    return ["".join(map(vocabulary.piece, each.tokens)) for each in found]


def test_byte_pairs_begin_with_a_space_and_have_all_cases() -> None:
    assert spelt(byte_pairs(), "new York") == [
        "\u0120new\u0120York",
        "\u0120new\u0120york",
        "\u0120New\u0120york",
        "\u0120New\u0120York",
    ]
    assert spelt(byte_pairs(), "ku") == ["\u0120ku", "\u0120Ku"]


def test_sentencepiece_has_lower_case_where_it_has_no_other() -> None:
    assert spelt(tiny_tokenizer(), "The") == ["\u2581the"]


@pytest.mark.parametrize("vocabulary", [byte_pairs(), tiny_tokenizer()], ids=["pairs", "pieces"])
def test_what_cannot_be_written_is_refused(vocabulary: Vocabulary) -> None:
    factory = ScorerFactory.of(tiny_config(), vocabulary=vocabulary)
    if isinstance(vocabulary, Tokenizer):
        with pytest.raises(InvalidOptionError, match=r"cannot write the hotword 'c\+\+'"):
            factory.check(DecodingOptions(hotwords=("the", "c++")))
    factory.check(DecodingOptions(hotwords=("the",)))


def test_without_a_vocabulary_there_are_no_hotwords() -> None:
    factory = ScorerFactory.of(tiny_config())
    factory.check(DecodingOptions())
    with pytest.raises(InvalidOptionError, match="vocabulary"):
        factory.check(DecodingOptions(hotwords=("the",)))


def test_tokens_without_a_space_continue_a_word() -> None:
    vocabulary = byte_pairs()
    trie = tries(vocabulary).of((Hotword("k"),))
    names = [
        vocabulary.piece(token)
        for token in range(vocabulary.vocab_size)
        if trie.continues_word[token]
    ]
    assert {"a", "z", "K", "\u00e5"} <= set(names)
    assert {"\u0120", "\u0120k", "'", "<s>", "</s>"}.isdisjoint(names)


def test_scripts_without_spaces_have_words_anywhere() -> None:
    signs = [*"\u00e5\u012e\u0139\u00e4\u00ba\u00ac", "\u0120"]
    ids = {sign: number for number, sign in enumerate(signs)}
    vocabulary = BytePairTokenizer(serialize(ids, [], {"<s>": 7, "</s>": 8}))
    (phrase,) = tries(vocabulary).phrases(Hotword("\u5317"))
    assert not phrase.ends_word
    assert phrase.tokens[0] == ids["\u00e5"]


def test_a_model_with_fewer_tokens_writes_with_those_alone() -> None:
    smaller = HotwordTries(byte_pairs(), byte_pairs().encode("k")[0] + 1)
    assert len(smaller.of((Hotword("ba"),)).continues_word) == smaller._vocab_size
    with pytest.raises(InvalidOptionError, match="cannot write"):
        smaller.phrases(Hotword("zoo"))


def test_a_list_is_prepared_once() -> None:
    made = tries(tiny_tokenizer())
    first = made.of((Hotword("the"), Hotword("sea", 2.0)))
    assert made.of((Hotword("the"), Hotword("sea", 2.0))) is first
    assert made.of((Hotword("the"),)) is not first


def test_the_oldest_lists_are_forgotten_where_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = tries(tiny_tokenizer())
    first, second, third = ((Hotword("the", weight),) for weight in (1.0, 2.0, 3.0))
    kept = made.of(first)
    monkeypatch.setattr(hotword_tokens, "MOST_NODES", 2 * len(kept))
    made.of(second)
    assert made.of(first) is kept
    made.of(third)  # the second list is the one that was used longest ago
    assert made.of(first) is kept
    assert list(made._kept) == [third, first]
