"""The published sizes, with random weights: the numbers of docs/checkpoints.md."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from auricle.engine import ModelRunner
from auricle.pretrained import load_pretrained
from tests.asr.families.peers import features, runner
from tests.asr.families.sizes import (
    MOONSHINE,
    TOKENS,
    WHISPER,
    Author,
    HubMoonshine,
    HubWhisper,
    OpenAiWhisper,
    skip_without_memory,
)
from tests.asr.tiny import sound

pytestmark = pytest.mark.slow
TOLERANCE = 1e-4
APART = 0.1  # a thousand times as much: what another sound must change
SOUNDS = (sound(1, 9.0), sound(2, 4.0))


@dataclass(frozen=True, slots=True)
class Stages:
    """What becomes of two sounds in a model."""

    features: list[Tensor]  # (T, n_mels)
    encoder_outs: list[Tensor]  # (N, D)
    logits: list[Tensor]  # (U, V)


@pytest.mark.parametrize("author", [HubWhisper, OpenAiWhisper])
@pytest.mark.parametrize("size", WHISPER)
def test_whisper(size: str, author: type[HubWhisper] | type[OpenAiWhisper]) -> None:
    skip_without_memory(WHISPER[size].nbytes)
    compare(f"whisper {size}, {author.name}", partial(author, WHISPER[size]))


@pytest.mark.parametrize("size", MOONSHINE)
def test_moonshine(size: str) -> None:
    compare(f"moonshine {size}, {HubMoonshine.name}", partial(HubMoonshine, *MOONSHINE[size]))


@torch.inference_mode()
def compare(name: str, author: Callable[[], Author]) -> None:
    """First theirs, then ours, from features to logits; prints a row of the table."""
    with tempfile.TemporaryDirectory() as folder:  # at once gone: gigabytes
        expected, path = written(author(), Path(folder))
        listener = runner(load_pretrained(path), slots=1)
    assert_it_listens(expected)
    found = ours(listener)
    stages = [
        largest(found.features, expected.features),
        largest(found.encoder_outs, expected.encoder_outs),
        largest(found.logits, expected.logits),
    ]
    print(f"\n{name}: " + " ".join(f"{each:.1e}" for each in stages))  # noqa: T201
    assert max(stages) <= TOLERANCE
    shuffled = zip(found.logits, reversed(expected.logits), strict=True)
    assert all(difference(*each) > APART for each in shuffled)


def written(author: Author, folder: Path) -> tuple[Stages, Path]:
    """What theirs makes of the sounds, and where it is saved."""
    xs = [author.features(each) for each in SOUNDS]
    encoder_outs = [author.encode(x) for x in xs]
    logits = [author.logits(each) for each in encoder_outs]
    return Stages(xs, encoder_outs, logits), author.save(folder)


def ours(listener: ModelRunner) -> Stages:
    """The whole way by our own numbers."""
    xs = features(listener, SOUNDS)
    encoder_outs = listener.model.encoder.encode(xs)
    logits = [
        listener.model.decoder(TOKENS, each[None], torch.tensor([len(each)]))[0]
        for each in encoder_outs
    ]
    return Stages(xs, encoder_outs, logits)


def assert_it_listens(heard: Stages) -> None:
    """Else a broken model would pass."""
    for encoder_out, logits in zip(heard.encoder_outs, heard.logits, strict=True):
        assert float(encoder_out.std(dim=0).mean()) > APART  # in time
        assert float(logits.std(dim=0).mean()) > APART  # by what was said before
    assert difference(*heard.logits) > APART


def difference(a: Tensor, b: Tensor) -> float:
    """The largest."""
    return float((a - b).abs().max())


def largest(found: Iterable[Tensor], expected: Iterable[Tensor]) -> float:
    """Of all differences."""
    return max(difference(*each) for each in zip(found, expected, strict=True))
