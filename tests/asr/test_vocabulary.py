"""A model with fewer merges says what it said, where its tokens are left."""

from pathlib import Path

import pytest
import torch

from auricle.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from auricle.pretrained import load_pretrained
from auricle.vocabulary import with_merges
from auricle_types.errors import InvalidOptionError
from tests.asr.families.peers import hub_folder, small_whisper
from tests.asr.tiny import tiny_checkpoint
from tests.asr.tokenizer.unicode_lines import short_vocabulary

MERGES = 500


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("whisper")
    return load_pretrained(hub_folder(small_whisper(), folder, short_vocabulary()))


@pytest.fixture(scope="module")
def cut(whole: Checkpoint) -> Checkpoint:
    return with_merges(whole, MERGES)


@torch.inference_mode()
def test_logits_of_the_tokens_that_are_left_stay(whole: Checkpoint, cut: Checkpoint) -> None:
    encoder_out, lens = torch.randn(1, 20, 32), torch.tensor([20])
    text = cut.tokenizer.encode("a cat")
    start = cut.model.config.tokens.start
    tokens = torch.tensor([[*start, *text]])
    same = [*whole.model.config.tokens.start, *whole.tokenizer.encode("a cat")]
    kept = [row for row in range(whole.tokenizer.vocab_size) if row not in range(756, 1000)]
    expected = whole.model.decoder(torch.tensor([same]), encoder_out, lens)[..., kept]
    torch.testing.assert_close(cut.model.decoder(tokens, encoder_out, lens), expected)


def test_special_tokens_are_those_of_the_vocabulary(cut: Checkpoint) -> None:
    tokens = cut.model.config.tokens
    assert tokens.end == cut.tokenizer.special.end == 256 + MERGES
    assert tokens.start[0] == cut.tokenizer.special.start[0]
    assert set(cut.tokenizer.special.suppressed) <= set(tokens.suppressed)
    assert max(tokens.suppressed) < cut.model.config.transformer.vocab_size


def test_it_is_a_checkpoint_like_any_other(cut: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_checkpoint(path, cut.model, cut.tokenizer)
    again = load_checkpoint(path)
    assert again.model.config == cut.model.config
    assert again.tokenizer.encode("hello there") == cut.tokenizer.encode("hello there")


def test_the_whole_one_stays_as_it_is(whole: Checkpoint, cut: Checkpoint) -> None:
    assert len(whole.model.decoder.embedding.weight) == whole.tokenizer.vocab_size
    assert len(cut.model.decoder.embedding.weight) == cut.tokenizer.vocab_size


def test_only_whispers_can_be_cut() -> None:
    with pytest.raises(InvalidOptionError, match="Whisper"):
        with_merges(tiny_checkpoint(), MERGES)
