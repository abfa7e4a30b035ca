"""Word times against openai-whisper's `find_alignment`, `dtw` and `median_filter`."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("whisper")

import torch
import whisper
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper.model import ModelDimensions, disable_sdpa

from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS
from auricle.families.whisper.word_alignment import (
    cheapest_path,
    split_words,
    token_frames,
    word_times,
)
from tests.asr.families.whisper.openai_timing import timing
from tests.asr.families.whisper.small_models import model as prepare_vocabulary
from tests.asr.tokenizer.unicode_lines import lines, vocabulary

FRAMES = 120  # of the speech


def reference_tokenizer(language: str) -> Any:  # noqa: ANN401
    prepare_vocabulary()
    return whisper.tokenizer.get_tokenizer(True, num_languages=99, language=language)


def listening(frames: int, seed: int = 0) -> whisper.Whisper:
    torch.manual_seed(seed)
    made = whisper.Whisper(ModelDimensions(80, frames, 32, 2, 1, 51865, 48, 32, 2, 2)).eval()
    for weight in made.parameters():
        if weight.dim() > 1:
            weight.data.normal_(std=weight[0].numel() ** -0.5)
    return made.requires_grad_(False)


@torch.no_grad()
def attention(made: whisper.Whisper, mel: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    """`(H, U, N)` before softmax, of all heads that openai-whisper aligns by."""
    seen: list[torch.Tensor] = []
    hooks = [
        block.cross_attn.register_forward_hook(lambda _, ins, outs: seen.append(outs[-1][0]))
        for block in made.decoder.blocks
    ]
    with disable_sdpa():
        made(mel[None], torch.tensor([tokens]))
    for hook in hooks:
        hook.remove()
    return torch.stack([seen[layer][head] for layer, head in made.alignment_heads.indices().T])


@pytest.mark.parametrize("seed", range(2))
def test_words_begin_and_end_within_a_frame(seed: int) -> None:
    theirs, ours = reference_tokenizer("en"), vocabulary()
    made = listening(FRAMES, seed)
    mel = torch.randn(80, 2 * FRAMES, generator=torch.Generator().manual_seed(seed))
    text = ours.encode(" well, I do not know; naïve words - it's 3.14!")
    expected = timing.find_alignment(made, theirs, text, mel, 2 * FRAMES)
    fed = [*theirs.sot_sequence, theirs.no_timestamps, *text, theirs.eot]
    weights = attention(made, mel, fed)[:, :, :FRAMES].softmax(dim=-1)
    begin = len(theirs.sot_sequence)
    normal = token_frames(weights.numpy(), slice(begin, -1))
    words = split_words(ours, text, "en")
    found = word_times(words, normal.tolist(), [0.5] * len(text))
    assert [word.text for word in found] == [each.word for each in expected]
    for word, each in zip(found, expected, strict=True):
        assert word.start == pytest.approx(each.start, abs=1.01 * TIMESTAMP_SECONDS)
        assert word.end == pytest.approx(each.end, abs=1.01 * TIMESTAMP_SECONDS)
    assert len({word.start for word in found}) > 4


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 60))
def test_no_path_is_cheaper(seed: int, tokens: int, frames: int) -> None:
    costs = np.random.default_rng(seed).random((tokens, frames), np.float32)
    expected, found = timing.dtw_cpu(costs.astype(np.float64)), cheapest_path(costs)
    assert costs[*found].sum() == pytest.approx(costs[*expected].sum(), rel=1e-5)
    assert found[:, 0].tolist() == [0, 0]
    assert found[:, -1].tolist() == [tokens - 1, frames - 1]


@pytest.mark.parametrize("seed", range(20))
def test_paths_are_openais(seed: int) -> None:
    """Where none is as cheap as another, as on long speech."""
    weights = np.random.default_rng(seed).random((6, 12, 200), np.float32)
    tensor = torch.from_numpy(weights)
    std, mean = torch.std_mean(tensor, dim=-2, keepdim=True, unbiased=False)
    matrix = timing.median_filter((tensor - mean) / std, 7).mean(dim=0)
    text, time = timing.dtw_cpu(-matrix.double().numpy())
    jumps = np.pad(np.diff(text), (1, 0), constant_values=1).astype(bool)
    assert token_frames(weights).tolist() == time[jumps].tolist()


def test_frames_at_which_nobody_looks() -> None:
    """Equal weights have no spread to be divided by."""
    weights = np.full((2, 4, 20), 0.05, np.float32)
    weights[:, :, :10] = 0.0
    assert len(token_frames(weights)) == 4


@pytest.mark.parametrize("language", ["en", "ja"])
def test_words_are_cut_alike(language: str) -> None:
    theirs, ours = reference_tokenizer(language), vocabulary()
    for line in [*lines(60, seed=7), " 今日はいい天気です", " so , it's - (well) ok…"]:
        tokens = ours.encode(line)
        words, word_tokens = theirs.split_to_word_tokens(list(tokens))
        found = split_words(ours, tokens, language)
        assert [each.text for each in found] == words
        assert [list(each.tokens) for each in found] == word_tokens


@pytest.mark.parametrize("language", ["my", "en"])
@pytest.mark.parametrize("text", [" \u1000\u103b\u1014\u103a", " a \U0001f642\ufffd b \U0001f642"])
def test_text_may_be_cut_within_a_character(text: str, language: str) -> None:
    """As by a limit of tokens. Such letters have several, and no token is lost."""
    tokens = vocabulary().encode(text)
    for count in range(len(tokens) + 1):
        words = split_words(vocabulary(), tokens[:count], language)
        assert [token for word in words for token in word.tokens] == tokens[:count]
        assert "".join(word.text for word in words) == vocabulary().spell(tokens[:count])


def test_probabilities_are_means() -> None:
    words = split_words(vocabulary(), vocabulary().encode(" hello naïveté"), "en")
    assert [word.text for word in words] == [" hello", " naïveté"]
    count = sum(len(word.tokens) for word in words)
    found = word_times(words, list(range(count + 1)), [0.5] + [1.0] * (count - 2) + [0.0])
    assert found[0].confidence == 0.5
    assert found[0].end == found[1].start == TIMESTAMP_SECONDS
    assert found[1].confidence == pytest.approx((count - 2) / (count - 1))


def test_no_words() -> None:
    assert split_words(vocabulary(), [], "en") == []
    assert word_times([], [3], []) == []
