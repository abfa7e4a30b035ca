"""Recorded steps, on a tape that repeats operations as a CUDA graph does."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.model.graphs import CudaRecorder, GraphedStep
from auricle.model.slotted import BLOCK, SlottedCache, SlottedView
from tests.asr.model.slots import some_memory
from tests.asr.model.tape import tape_recorder
from tests.asr.tiny import VOCAB_SIZE, Positions, tiny_model

DECODER = tiny_model().decoder
SLOTS, GROUP, FRAMES = 6, 2, BLOCK + 30


def cache_of(device: str = "cpu") -> SlottedCache:
    return SlottedCache(
        DECODER.config,
        slots=SLOTS,
        max_frames=FRAMES,
        group=GROUP,
        like=torch.zeros(1, device=device),
    )


class Counting:
    """A recorder, and how often it and the step that it records were called."""

    def __init__(self) -> None:
        self.records = self.steps = 0

    def record(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        self.records += 1
        return tape_recorder(run)

    def step(self, tokens: Tensor, view: SlottedView) -> Tensor:
        self.steps += 1
        return DECODER.step(tokens, view)


def opened(*slots: int) -> SlottedCache:
    cache = cache_of()
    for slot in slots:
        cache.open([slot], some_memory(DECODER.config, 9 + slot))
    return cache


def test_each_shape_is_recorded_once() -> None:
    counting = Counting()
    step, cache = GraphedStep(counting.step, counting.record), opened(0)
    for _ in range(5):
        step(torch.tensor([4, 0]), cache.view(cache.rows([0])))
        cache.advance([0])
    assert (counting.records, counting.steps) == (1, 2)  # to warm up, and to record
    cache.open([3], some_memory(DECODER.config, 9))
    for _ in range(5):
        step(torch.tensor([4, 0, 0, 5]), cache.view(cache.rows([0, 3])))
    assert counting.records == 2
    cache.close([3])
    step(torch.tensor([4, 0]), cache.view(cache.rows([0])))
    assert counting.records == 2  # the first one is still there


def test_another_block_of_tokens_or_frames_is_another_shape() -> None:
    counting = Counting()
    step, cache = GraphedStep(counting.step, counting.record), opened(0)
    for _ in range(BLOCK + 2):
        step(torch.tensor([4, 0]), cache.view(cache.rows([0])))
        cache.advance([0])
    assert counting.records == 2
    cache.open([1], some_memory(DECODER.config, BLOCK + 1))
    step(torch.tensor([4, 5]), cache.view(cache.rows([0, 1])))
    assert counting.records == 3


def test_a_replay_reads_the_new_inputs() -> None:
    step, cache = GraphedStep(DECODER.step, tape_recorder), opened(0, 1)
    plain = opened(0, 1)
    for tokens in ([4, 5], [6, 7], [6, 9], [4, 5]):
        fed = torch.tensor(tokens)
        expected = DECODER.step(fed, plain.view([0, 1]))
        assert torch.equal(step(fed, cache.view([0, 1])), expected)
        for each in (cache, plain):
            each.advance([0])  # the second writes its token again and again


def test_a_caller_may_change_its_tensors_afterwards() -> None:
    step, cache = GraphedStep(DECODER.step, tape_recorder), opened(0, 1)
    tokens, view = torch.tensor([4, 5]), cache.view([0, 1])
    expected = step(tokens, view).clone()
    for each in (tokens, view.positions, view.cross_lens):
        each.fill_(3)
    assert torch.equal(step(torch.tensor([4, 5]), cache.view([0, 1])), expected)


def test_the_result_lives_until_the_next_call() -> None:
    step, cache = GraphedStep(DECODER.step, tape_recorder), opened(0, 1)
    first = step(torch.tensor([4, 5]), cache.view([0, 1]))
    before = first.clone()
    second = step(torch.tensor([6, 7]), cache.view([0, 1]))
    assert second is first
    assert not torch.equal(first, before)


def test_what_python_decides_is_frozen() -> None:
    """The stand-in is as stubborn as a graph: without the copied inputs it would repeat itself."""
    cache, asked = opened(0, 1), iter(range(10))
    run = tape_recorder(lambda: DECODER.step(torch.tensor([next(asked), 4]), cache.view([0, 1])))
    first = run().clone()
    cache.advance([0, 1])
    assert torch.equal(run(), first)
    assert next(asked) == 2


def test_what_waits_for_the_device_cannot_be_recorded() -> None:
    with pytest.raises(RuntimeError, match="waits for the device"):
        tape_recorder(lambda: torch.zeros(int(torch.ones(1).sum())))
    view = opened(0, 1).view([0, 1])
    assert tape_recorder(lambda: DECODER.step(torch.tensor([4, 5]), view))().shape == (2, 32)


events = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "fork", "step", "step", "step"]),
        st.integers(0, SLOTS - 1),
        st.integers(0, SLOTS - 1),
    ),
    max_size=40,
)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
@settings(max_examples=15)
@given(events=events)
def test_joins_leaves_and_forks_are_as_without(
    positions: Positions, events: list[tuple[str, int, int]]
) -> None:
    decoder = tiny_model(positions).decoder
    step, caches, live = GraphedStep(decoder.step, tape_recorder), (cache_of(), cache_of()), {0}
    for cache in caches:
        cache.open([0], some_memory(decoder.config, 20))
    for number, (what, one, other) in enumerate(events):
        if what == "join" and one not in live:
            live.add(one)
            for cache in caches:
                cache.open([one], some_memory(decoder.config, 1 + (37 * number) % FRAMES))
        elif what == "leave" and one in live and len(live) > 1:
            live.remove(one)
            for cache in caches:
                cache.close([one])
        elif what == "fork" and {one, other} <= live:
            for cache in caches:
                cache.copy(one, other)
        recorded, plain = (cache.view(cache.rows(sorted(live))) for cache in caches)
        tokens = torch.arange(len(plain.positions)) * (7 + number) % VOCAB_SIZE
        expected = decoder.step(tokens, plain)
        assert torch.equal(step(tokens, recorded)[sorted(live)], expected[sorted(live)])
        for cache in caches:
            cache.advance(sorted(live))


def test_a_step_may_be_run_again() -> None:
    """Recorders warm up: the same keys in the same places do no harm."""
    cache, fresh = opened(0, 1), opened(0, 1)
    view, tokens = cache.view([0, 1]), torch.tensor([4, 5])
    for _ in range(4):
        found = DECODER.step(tokens, replace(view))
    assert torch.equal(found, DECODER.step(tokens, fresh.view([0, 1])))
    assert torch.equal(cache.kept, fresh.kept)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
@torch.inference_mode()
def test_a_cuda_graph_gives_what_the_plain_step_gives(positions: Positions) -> None:
    decoder = tiny_model(positions).decoder
    on_gpu = type(decoder)(decoder.config).cuda().eval()
    on_gpu.load_state_dict(decoder.state_dict())
    step, caches = (
        GraphedStep(on_gpu.step, CudaRecorder(torch.device("cuda", 0))),
        (cache_of("cuda"), cache_of("cuda")),
    )
    for slot in range(4):
        for cache in caches:
            cache.open([slot], some_memory(decoder.config, 9 + slot).cuda())
    for number in range(BLOCK + 20):
        live = [slot for slot in range(4) if number % (slot + 2) or slot < 2]
        tokens = (torch.arange(4) * (7 + number) % VOCAB_SIZE).cuda()
        recorded, plain = (cache.view(cache.rows(range(4))) for cache in caches)
        expected = on_gpu.step(tokens, plain)
        torch.testing.assert_close(step(tokens, recorded), expected, atol=1e-4, rtol=0)
        for cache in caches:
            cache.advance(live)
