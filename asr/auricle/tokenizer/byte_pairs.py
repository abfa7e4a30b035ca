"""A tokenizer by byte pairs, as in a `tokenizer.json`, run by the `tokenizers` package."""

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import tokenizers

from auricle.config import SpecialTokens
from auricle_types.errors import CorruptCheckpointError
from auricle_types.parsing import parse_json

Ids = dict[str, int]  # of pieces
Pair = tuple[str, str]

_START, _END = ("<s>", "<|startoftranscript|>"), ("</s>", "<|endoftext|>")


class BytePairTokenizer:
    """A vocabulary from the bytes of a `tokenizer.json`.

    `added` are the ids of its added tokens. They are special: `encode` takes them for plain text,
    so that nobody's text can hold one.
    """

    def __init__(self, serialized: bytes) -> None:
        """Read it; raises CorruptCheckpointError if it is none."""
        self.serialized = serialized
        try:
            described: dict[str, Any] = parse_json(serialized)
            self.added = {each["content"]: int(each["id"]) for each in described["added_tokens"]}
            self._names = frozenset(self.added.values())
            self._decoder = tokenizers.Tokenizer.from_buffer(serialized)
            self._encoder = _of_text(self._decoder)
        except Exception as error:  # the package raises bare Exception
            raise CorruptCheckpointError(f"no readable tokenizer.json ({error})") from error

    @classmethod
    def from_parts(
        cls, vocab: dict[str, int], merges: Sequence[str], added: dict[str, int]
    ) -> Self:
        """Make a byte-level tokenizer of `vocab.json`, lines of `merges.txt`, and added tokens."""
        lines = [line for line in merges if line and not line.startswith("#version")]
        return cls(serialize(vocab, [_pair(line) for line in lines], added))

    @property
    def vocab_size(self) -> int:
        """The number of ids: one more than the highest."""
        return max(self._decoder.get_vocab(with_added_tokens=True).values()) + 1

    @cached_property
    def special(self) -> SpecialTokens:
        """START and END by their usual names; other added tokens are suppressed."""
        start, end = (self._one_of(names) for names in (_START, _END))
        others = sorted(set(self.added.values()) - {end})
        return SpecialTokens((start,), end, tuple(others))

    def encode(self, text: str) -> list[int]:
        """Turn `text` into token ids, without START and END."""
        return list(self._encoder.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn `tokens` into text, without special ids."""
        return self.spell([token for token in tokens if token not in self._names]).strip()

    def spell(self, tokens: Sequence[int]) -> str:
        """Write `tokens` out, special ones by their names, spaces kept."""
        return str(self._decoder.decode(list(tokens), skip_special_tokens=False))

    def bytes_of(self, token: int) -> int:
        """Count the bytes of a token: one for each letter of a byte-level piece."""
        return len(self._decoder.id_to_token(token) or "")

    def piece(self, token: int) -> str:
        """Write a token as the file lists it; byte-level ones write a space as U+0120."""
        return self._decoder.id_to_token(token) or ""

    def _one_of(self, names: Sequence[str]) -> int:
        found = [token for name in names if (token := self._decoder.token_to_id(name)) is not None]
        if not found:
            raise CorruptCheckpointError(
                f"the tokenizer has no {' or '.join(names)}: take that of the same model"
            )
        return found[0]


def serialize(vocab: Ids, merges: Sequence[Pair], added: Ids) -> bytes:
    """Write a byte-level `tokenizer.json`."""
    model = tokenizers.models.BPE(vocab=vocab, merges=list(merges), ignore_merges=True)
    whole = tokenizers.Tokenizer(model)
    whole.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = tokenizers.decoders.ByteLevel()
    described = json.loads(whole.to_str())
    described["added_tokens"] = [_added(token, content) for content, token in added.items()]
    return json.dumps(described, ensure_ascii=False).encode()


def all_merges(vocab: Ids) -> list[Pair]:
    """List all pairs of pieces that make up a piece, in the order of their ids.

    It is what tiktoken merges (github.com/openai/tiktoken), and the same tokens as by GPT-2's own
    list, whose ids are in the order of the merges (Radford et al. 2019).
    """
    return [
        (piece[:cut], piece[cut:])
        for piece in sorted(vocab, key=vocab.__getitem__)
        for cut in range(1, len(piece))
        if piece[:cut] in vocab and piece[cut:] in vocab
    ]


def _of_text(whole: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Make a tokenizer that shares the pieces of another, without its added tokens."""
    plain = tokenizers.Tokenizer(whole.model)
    plain.normalizer = whole.normalizer
    plain.pre_tokenizer = whole.pre_tokenizer
    return plain


def _pair(line: str) -> Pair:
    left, right = line.split(" ")
    return left, right


def _added(token: int, content: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token, "content": content, **flags, "special": True}
