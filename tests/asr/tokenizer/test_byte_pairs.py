import json

import pytest

from auricle.config import SpecialTokens
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle_types.errors import CorruptCheckpointError
from tests.asr.tiny import tiny_tokenizer

VOCAB = {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "Ġab": 5, "<": 6, "s": 7, ">": 8}
MERGES = ["#version: 0.2", "a b", "Ġ ab", ""]
ADDED = {"<s>": 9, "</s>": 10, "<pad>": 11}


def small(added: dict[str, int] | None = None) -> BytePairTokenizer:
    return BytePairTokenizer.from_parts(VOCAB, MERGES, ADDED if added is None else added)


def test_pairs_are_merged() -> None:
    assert small().encode("ab abc") == [4, 5, 2]
    assert small().decode([4, 5, 2]) == "ab abc"


def test_special_ids_are_found_by_name_and_silent() -> None:
    tokenizer = small()
    assert tokenizer.vocab_size == 12
    assert tokenizer.special == SpecialTokens((9,), 10, (9, 11))
    assert tokenizer.decode([9, 4, 11, 5, 10]) == "ab ab"
    assert tokenizer.spell([9, 4, 10]) == "<s>ab</s>"


def test_pieces_are_as_the_file_lists_them() -> None:
    assert [small().piece(token) for token in (5, 2, 9, 12)] == ["Ġab", "c", "<s>", ""]


def test_text_is_never_special() -> None:
    assert small().encode("<s>ab") == [6, 7, 8, 4]


def test_serialized_is_the_whole_tokenizer() -> None:
    copy = BytePairTokenizer(small().serialized)
    assert copy.encode("abc ab") == small().encode("abc ab")
    assert copy.special == small().special


@pytest.mark.parametrize("serialized", [b"", b"{}", b"\xff\x00", b'{"added_tokens": []}', b"[]"])
def test_other_bytes_are_no_tokenizer(serialized: bytes) -> None:
    with pytest.raises(CorruptCheckpointError, match=r"no readable tokenizer\.json"):
        BytePairTokenizer(serialized)


def test_start_and_end_must_be_there() -> None:
    with pytest.raises(CorruptCheckpointError, match=r"no <s> or <\|startoftranscript"):
        _ = small({}).special


def test_merges_of_unknown_pieces_are_refused() -> None:
    described = json.loads(small().serialized)
    described["model"]["merges"].append(["a", "zz"])
    with pytest.raises(CorruptCheckpointError):
        BytePairTokenizer(json.dumps(described).encode())


@pytest.mark.parametrize("vocabulary", [small(), tiny_tokenizer()])
def test_all_tokenizers_have_one_interface(vocabulary: Vocabulary) -> None:
    tokens = vocabulary.encode("ab")
    assert 0 <= min(tokens) <= max(tokens) < vocabulary.vocab_size
    assert isinstance(vocabulary.decode(tokens), str)
    assert all(map(vocabulary.piece, tokens))
    assert vocabulary.special.end < vocabulary.vocab_size
    assert isinstance(vocabulary.serialized, bytes)


def test_ours_names_its_special_ids() -> None:
    expected = SpecialTokens((Tokenizer.start_id,), Tokenizer.end_id, (0, 1, 3))
    assert Tokenizer.special == tiny_tokenizer().special == expected
