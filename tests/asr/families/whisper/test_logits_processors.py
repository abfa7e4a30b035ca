"""Whisper's filters against openai-whisper's own, on random logits and random prefixes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.decoding.logits_processors import LogitsProcessor, RowProcessors, token_log_probs
from auricle.families.whisper.logits_processors import SuppressBlank, TimestampRules

openai = pytest.importorskip("whisper.decoding")

END, NO_TIMESTAMPS, TIMES, SIZE = 20, 27, 28, 60  # a small vocabulary of Whisper's order
PROMPT = [21, 22, 24]
Said = tuple[int, ...]


@dataclass
class FakeVocabulary:
    """What openai-whisper's filters ask its tokenizer for."""

    no_timestamps: int = NO_TIMESTAMPS
    timestamp_begin: int = TIMES
    eot: int = END

    def encode(self, text: str) -> list[int]:
        assert text == " "
        return [3]


@dataclass(frozen=True)
class Never:
    """A filter of tokens that are never said."""

    tokens: Said

    def applies_to(self, tokens: Said) -> bool:
        return True

    def apply(self, logits: Tensor, said: Sequence[Said]) -> None:
        logits[:, list(self.tokens)] = -torch.inf


texts = st.integers(0, END - 1)
times = st.integers(TIMES, SIZE - 1)
said = st.lists(st.one_of(texts, texts, times, times), max_size=7).map(tuple)


def rows(count: int, length: int) -> st.SearchStrategy[list[Said]]:
    """openai-whisper's rows are of one length."""
    one = st.lists(st.one_of(texts, times), min_size=length, max_size=length).map(tuple)
    return st.lists(one, min_size=count, max_size=count)


prefixes = st.tuples(st.integers(1, 5), st.integers(0, 6)).flatmap(lambda shape: rows(*shape))
logits_of = st.tuples(st.integers(0, 1_000), st.sampled_from([0.1, 1.0, 8.0]))


def random_logits(count: int, seed: int, scale: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, SIZE, generator=generator)


def pairs(latest: int | None) -> list[tuple[LogitsProcessor, object]]:
    """Ours and openai-whisper's."""
    vocabulary, begin = FakeVocabulary(), len(PROMPT)
    first = None if latest is None else TIMES + latest
    return [
        (Never((1, 5, 23)), openai.SuppressTokens([1, 5, 23])),
        (SuppressBlank((3, END)), openai.SuppressBlank(vocabulary, begin)),
        (
            TimestampRules(NO_TIMESTAMPS, TIMES, END, first),
            openai.ApplyTimestampRules(vocabulary, begin, latest),
        ),
    ]


@settings(max_examples=300)
@given(prefixes, logits_of, st.sampled_from([None, 0, 5, 31]))
def test_the_same_tokens_are_forbidden(
    prefixes: list[Said], drawn: tuple[int, float], latest: int | None
) -> None:
    """Each alone, and all in a row."""
    logits = random_logits(len(prefixes), *drawn)
    tokens = torch.tensor([[*PROMPT, *said] for said in prefixes])
    ours_all, theirs_all = logits.clone(), logits.clone()
    for ours, theirs in pairs(latest):
        found, expected = logits.clone(), logits.clone()
        ours.apply(found, prefixes)
        theirs.apply(expected, tokens)  # type: ignore[attr-defined]
        assert found.equal(expected)
        ours.apply(ours_all, prefixes)
        theirs.apply(theirs_all, tokens)  # type: ignore[attr-defined]
    assert ours_all.equal(theirs_all)


@settings(max_examples=100)
@given(st.lists(said, min_size=2, max_size=6), logits_of)
def test_rows_of_other_lengths_change_nothing(
    prefixes: list[Said], drawn: tuple[int, float]
) -> None:
    logits = random_logits(len(prefixes), *drawn)
    for each, _ in pairs(5):
        together = logits.clone()
        each.apply(together, prefixes)
        for row, one in enumerate(prefixes):
            alone = logits[row : row + 1].clone()
            each.apply(alone, [one])
            assert together[row].equal(alone[0])


def test_the_sum_of_times_decides() -> None:
    """So the comparison above has met both cases."""
    rules = TimestampRules(NO_TIMESTAMPS, TIMES, END)
    logits = torch.zeros(2, SIZE)
    logits[:, 7] = torch.tensor([2.0, 5.0])  # e^2 < 32 times of e^0 each < e^5
    rules.apply(logits, [(TIMES, 4)] * 2)
    assert logits[0, :TIMES].isneginf().all()
    assert logits[1, 7] == 5.0


def test_equal_filters_are_one() -> None:
    assert SuppressBlank((3, END)) == SuppressBlank((3, END))
    assert len({TimestampRules(1, 2, 3), TimestampRules(1, 2, 3), TimestampRules(1, 2, 4)}) == 2


@pytest.mark.parametrize(
    ("rows", "said", "forbidden"),
    [
        ([2, 0], [(), (4,)], [[1, 9], [1], [1, 3, 9]]),
        ([1, 2], [(), (4,)], [[1], [1, 3, 9], [1, 9]]),
        ([0, 1, 2], [(4,), (), (4,)], [[1, 9], [1, 3, 9], [1, 9]]),
    ],
    ids=["apart", "side by side", "all"],
)
def test_rules_are_for_their_rows_only(
    rows: list[int], said: list[Said], forbidden: list[list[int]]
) -> None:
    logits = torch.zeros(3, SIZE)
    ruled = RowProcessors(rows, said, [SuppressBlank((3,)), Never((9,))])
    log_probs = token_log_probs(logits, (1,), [ruled])
    for row, tokens in zip(log_probs, forbidden, strict=True):
        assert row.isneginf().nonzero()[:, 0].tolist() == tokens
        assert float(row.exp().sum()) == pytest.approx(1.0)
    assert not logits.any()


@pytest.mark.parametrize(
    "each",
    [SuppressBlank((3, END)), Never((9,)), TimestampRules(NO_TIMESTAMPS, TIMES, END)],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("said", [(), (4,), (TIMES, 4)])
def test_who_is_not_bound_is_forbidden_nothing(each: LogitsProcessor, said: Said) -> None:
    logits = torch.zeros(1, SIZE)
    each.apply(logits, [said])
    assert each.applies_to(said) == bool(logits.isneginf().any())
