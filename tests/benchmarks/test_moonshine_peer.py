from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks.rounds import MiscountError

pytest.importorskip("transformers", reason="transformers is not installed")

from transformers import MoonshineForConditionalGeneration

from benchmarks.moonshine import SMALL
from benchmarks.peers.moonshine import END, START, Moonshine, moonshine

LENGTHS = (3_000, 1_600, 2_400, 800, 3_200)


class FakeModel(SimpleNamespace):
    """Notes what it is given and says as many words as it is asked for, `off` more."""

    dtype = torch.float32

    def __init__(self, off: int = 0) -> None:
        self.off = off
        self.lens: list[list[int]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.beams: set[int] = set()

    def generate(
        self, samples: Tensor, *, attention_mask: Tensor, max_new_tokens: int, **options: int
    ) -> Tensor:
        self.lens.append(attention_mask.sum(dim=1).tolist())
        self.shapes.append(tuple(samples.shape))
        self.beams.add(options["num_beams"])
        answers = torch.full((len(samples), 1 + max_new_tokens + self.off), 7)
        answers[:, 0] = START
        return answers


def contestant(
    model: FakeModel | MoonshineForConditionalGeneration,
    batch_size: int,
    lengths: Sequence[int] = LENGTHS,
) -> Moonshine:
    waveforms = [np.full(length, 0.1, np.float32) for length in lengths]
    return Moonshine("peer", model, waveforms, batch_size=batch_size, tokens=6, beam_size=3)


def test_neighbours_in_length_share_a_batch_and_are_masked() -> None:
    model = FakeModel()
    contestant(model, 2).run()
    assert model.lens == [[800, 1_600], [2_400, 3_000], [3_200]]
    assert model.shapes == [(2, 1_600), (2, 3_000), (1, 3_200)]
    assert model.beams == {3}


def test_one_by_one_nothing_is_padded() -> None:
    model = FakeModel()
    peer = contestant(model, 1)
    peer.run()
    assert model.lens == [[length] for length in sorted(LENGTHS)]
    assert peer.audio_seconds == sum(LENGTHS) / 16_000
    assert peer.facts() == {"batch_size": 1, "utterances": 5}


@pytest.mark.parametrize("off", [-1, 1])
def test_other_tokens_are_an_error(off: int) -> None:
    with pytest.raises(MiscountError, match="peer made"):
        contestant(FakeModel(off), 2).run()


@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
@pytest.mark.parametrize("batch_size", [1, 2])
def test_transformers_says_as_much_as_it_is_asked_for(batch_size: int) -> None:
    model = moonshine(SMALL)
    contestant(model, batch_size, LENGTHS[:2]).run()
    weight = cast(Tensor, model.get_input_embeddings().weight)
    assert not weight[END].any()
