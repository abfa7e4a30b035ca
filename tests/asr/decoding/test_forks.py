"""Who goes on from whom, and in which slot: nothing is lost, and little is copied."""

from hypothesis import given
from hypothesis import strategies as st

from auricle.decoding import BeamSearch, Decoding, new_search
from auricle.decoding.passes import PassSetup
from auricle.decoding.search import Candidate
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions
from tests.asr.decoding.play import Part, Stage
from tests.asr.decoding.scripted import ScriptedDecoder, script


@st.composite
def forks(draw: st.DrawFn) -> tuple[list[int], int, list[int]]:
    """The slots of a search, how many of them are live, and whom its new hypotheses extend."""
    width = draw(st.integers(1, 8))
    slots = draw(st.lists(st.integers(0, 99), min_size=width, max_size=width, unique=True))
    live = draw(st.integers(1, width))
    parents = draw(st.lists(st.integers(0, live - 1), max_size=width))
    return slots, live, parents


def decoding_of(slots: list[int], live: int) -> Decoding:
    search = BeamSearch(len(slots), 9, end=Tokenizer.end_id)
    search.live = [Hypothesis((4 + n,), -1.0, ended=False) for n in range(live)]
    return Decoding(search, PassSetup((1,)), list(slots))


@given(forks())
def test_every_child_finds_its_parents_content(fork: tuple[list[int], int, list[int]]) -> None:
    slots, live, parents = fork
    decoding, content = decoding_of(slots, live), {slot: f"of {slot}" for slot in slots}
    for source, target in decoding.reassign_slots(parents):
        content[target] = content[source]  # one after the other, as the cache does
    for slot, parent in zip(decoding.slots, parents, strict=False):
        assert content[slot] == f"of {slots[parent]}"


@given(forks())
def test_no_slot_is_lost_or_given_twice(fork: tuple[list[int], int, list[int]]) -> None:
    slots, live, parents = fork
    decoding = decoding_of(slots, live)
    decoding.reassign_slots(parents)
    assert sorted(decoding.slots) == sorted(slots)


@given(forks())
def test_no_more_is_copied_than_must_be(fork: tuple[list[int], int, list[int]]) -> None:
    """One slot per parent stays; each further child needs one copy, into a slot that is free."""
    slots, live, parents = fork
    copies = decoding_of(slots, live).reassign_slots(parents)
    assert len(copies) == len(parents) - len(set(parents))
    sources, targets = {source for source, _ in copies}, [target for _, target in copies]
    assert len(set(targets)) == len(targets)
    assert sources.isdisjoint(targets)
    assert {slots[parent] for parent in parents}.isdisjoint(targets)


def test_forks_by_hand() -> None:
    decoding = decoding_of([7, 3, 5, 1], 3)
    assert decoding.live == [7, 3, 5]
    assert decoding.reassign_slots([2, 2, 0, 2]) == [(5, 3), (5, 1)]
    assert decoding.slots == [5, 3, 7, 1]
    decoding = decoding_of([7, 3, 5, 1], 3)
    assert decoding.reassign_slots([1]) == []
    assert decoding.slots == [3, 7, 5, 1]
    assert decoding.reassign_slots([]) == []
    assert sorted(decoding.slots) == [1, 3, 5, 7]


def test_over_a_whole_search_no_more_is_copied_than_must_be() -> None:
    """Counted from what the search itself says of parents."""
    decoder = ScriptedDecoder(12, end_bonus=-2.0)
    options = DecodingOptions(beam_size=4)
    stage = Stage(decoder.decoder, [script(3, 12)])
    assert stage.play([Part(0, options=options)])[0] is not None
    search, forked = new_search(options, 12, end=Tokenizer.end_id), 0
    extend = search.extend

    def counted(candidates: list[list[Candidate]]) -> list[int]:
        nonlocal forked
        parents = extend(candidates)
        forked += len(parents) - len(set(parents))
        return parents

    search.extend = counted  # type: ignore[method-assign,assignment]
    decoder.search(3, search)
    assert len(stage.cache.copies) == forked > 5


def test_greedy_search_copies_nothing() -> None:
    decoder = ScriptedDecoder(12)
    stage = Stage(decoder.decoder, [script(n, 12) for n in range(5)])
    stage.play([Part(n) for n in range(5)])
    assert stage.cache.copies == []
