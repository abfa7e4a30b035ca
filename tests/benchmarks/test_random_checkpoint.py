"""What transformers saves, ours loads: the same weights, and END never comes."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.checkpoint import Checkpoint
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from benchmarks.dtypes import RANDOM_OPTIONS
from benchmarks.moonshine import SMALL
from benchmarks.peers.peer import END, PROMPT
from benchmarks.random_checkpoint import save_moonshine, save_whisper
from benchmarks.workload import ATTENTION, SMOKE
from tests.asr.tiny import sound

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("whisper", reason="openai-whisper is not installed")

SOUNDS = [sound(number, 0.5 + 0.1 * number) for number in range(4)]


OPTIONS = {"whisper": RANDOM_OPTIONS, "moonshine": ATTENTION}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Of each family, saved and loaded."""
    found = {}
    for name, save in {"whisper": save_whisper, "moonshine": save_moonshine}.items():
        folder = tmp_path_factory.mktemp(name)
        save(SMALL if name == "moonshine" else SMOKE, folder)
        found[name] = load_pretrained(folder, audio_context="auto")
    return found


def answers(name: str, checkpoint: Checkpoint, beam_size: int = 1) -> list[tuple[int, str]]:
    """How many tokens each sound is given, and its text."""
    chosen = replace(OPTIONS[name], max_tokens=9, beam_size=beam_size)
    used = Checkpoint(copy.deepcopy(checkpoint.model), checkpoint.tokenizer)
    with Recognizer.from_checkpoint(used, device="cpu", dtype="float32") as recognizer:
        futures = [recognizer.submit(Piece(0.0, samples), chosen) for samples in SOUNDS]
        found = [future.result() for future in futures]
    return [(each.receipt.tokens, each.text) for each in found]


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("beam_size", [1, 5])
def test_exactly_as_many_tokens_as_asked_for(
    name: str, beam_size: int, saved: dict[str, Checkpoint]
) -> None:
    found = answers(name, saved[name], beam_size)
    assert [count for count, _ in found] == [9] * len(SOUNDS)


def test_whispers_weights_are_those_the_peers_are_given(saved: dict[str, Checkpoint]) -> None:
    from benchmarks.peers.hugging import whisper

    found = saved["whisper"].model
    theirs = whisper(SMOKE).get_parameter("model.decoder.embed_tokens.weight")
    assert torch.equal(found.decoder.embedding.weight, theirs)
    assert found.config.tokens.start == PROMPT
    assert found.config.tokens.end == END
    assert END in found.config.tokens.suppressed


def test_moonshines_weights_are_those_the_peers_are_given(saved: dict[str, Checkpoint]) -> None:
    from benchmarks.peers.moonshine import moonshine

    found = saved["moonshine"].model
    theirs = moonshine(SMALL).get_parameter("model.decoder.embed_tokens.weight")
    assert torch.equal(found.decoder.embedding.weight, theirs)
    assert not found.decoder.embedding.weight[found.config.tokens.end].any()


def test_lively_weights_listen(saved: dict[str, Checkpoint], tmp_path: Path) -> None:
    """Plain ones say the same whatever they hear."""
    save_whisper(SMOKE, tmp_path, lively=True)
    lively = load_pretrained(tmp_path, audio_context="auto")
    plain_texts, texts = (
        {text for _, text in answers("whisper", checkpoint)}
        for checkpoint in (saved["whisper"], lively)
    )
    assert len(plain_texts) == 1
    assert len(texts) >= len(SOUNDS) - 1


def test_a_folder_is_made_anew_the_same(tmp_path: Path) -> None:
    for name in ("one", "other"):
        save_moonshine(SMALL, tmp_path / name)
    one, other = (tmp_path / name / "model.safetensors" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
