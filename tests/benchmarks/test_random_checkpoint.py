"""What transformers saves, ours loads: the same weights, and END never comes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.checkpoint import Checkpoint
from auricle.families import load_pretrained
from auricle.recognizer import Recognizer
from auricle.segmenter import Piece
from benchmarks.peers.peer import END, PROMPT
from benchmarks.random_checkpoint import save_moonshine, save_whisper
from benchmarks.shapes import SHAPES, Shape
from tests.asr.tiny import sound

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("whisper", reason="openai-whisper is not installed")

WHISPER, MOONSHINE = SHAPES["whisper-tiny"].small, SHAPES["moonshine-tiny"].small
SOUNDS = [sound(number, 0.5 + 0.1 * number) for number in range(4)]


def saved(shape: Shape, folder: Path) -> Checkpoint:
    shape.save(shape.dims, folder)
    return load_pretrained(folder, audio_context="auto")


def answers(shape: Shape, checkpoint: Checkpoint, beam_size: int = 1) -> list[tuple[int, str]]:
    """How many tokens each sound is given, and its text."""
    chosen = replace(shape.options, max_tokens=9, beam_size=beam_size)
    with Recognizer(checkpoint, device="cpu", dtype="float32") as recognizer:
        futures = [recognizer.submit(Piece(0.0, samples), chosen) for samples in SOUNDS]
        found = [future.result() for future in futures]
    return [(each.receipt.tokens, each.text) for each in found]


@pytest.mark.parametrize("shape", [WHISPER, MOONSHINE], ids=["whisper", "moonshine"])
@pytest.mark.parametrize("beam_size", [1, 5])
def test_exactly_as_many_tokens_as_asked_for(shape: Shape, beam_size: int, tmp_path: Path) -> None:
    found = answers(shape, saved(shape, tmp_path), beam_size)
    assert [count for count, _ in found] == [9] * len(SOUNDS)


def test_whispers_weights_are_those_the_peers_are_given(tmp_path: Path) -> None:
    from benchmarks.peers.hugging import whisper

    found = saved(WHISPER, tmp_path).model
    theirs = whisper(WHISPER.dims).get_parameter("model.decoder.embed_tokens.weight")
    assert torch.equal(found.decoder.embedding.weight, theirs)
    assert found.config.tokens.start == PROMPT
    assert found.config.tokens.end == END
    assert END in found.config.tokens.silent


def test_moonshines_weights_are_those_the_peers_are_given(tmp_path: Path) -> None:
    from benchmarks.peers.moonshine import moonshine

    found = saved(MOONSHINE, tmp_path).model
    theirs = moonshine(MOONSHINE.dims).get_parameter("model.decoder.embed_tokens.weight")
    assert torch.equal(found.decoder.embedding.weight, theirs)
    assert not found.decoder.embedding.weight[found.config.tokens.end].any()


def test_lively_weights_listen(tmp_path: Path) -> None:
    """Plain ones say the same whatever they hear."""
    texts = []
    for lively in (False, True):
        folder = tmp_path / str(lively)
        save_whisper(WHISPER.dims, folder, lively=lively)
        checkpoint = load_pretrained(folder, audio_context="auto")
        texts.append({text for _, text in answers(WHISPER, checkpoint)})
    assert len(texts[0]) == 1
    assert len(texts[1]) >= len(SOUNDS) - 1


def test_a_folder_is_made_anew_the_same(tmp_path: Path) -> None:
    for name in ("one", "other"):
        save_moonshine(MOONSHINE.dims, tmp_path / name)
    one, other = (tmp_path / name / "model.safetensors" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
