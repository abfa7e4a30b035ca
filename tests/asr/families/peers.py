"""Small random models of the peers' own code that listen: helpers for tests, no tests.

Plain random weights say nearly the same whatever they hear, and then a broken encoder passes.
These are scaled until different sounds give different tokens and some end; the tests assert it.
"""

import functools
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import tokenizers
import torch
from torch import Tensor, nn

from auricle.checkpoint import Checkpoint
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job
from auricle.families.whisper.openai_file import openai_name
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle_types.errors import AuricleError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.tiny import sound
from tests.asr.tokenizer.unicode_lines import short_vocabulary

whisper: Any = pytest.importorskip("whisper", reason="openai-whisper is not installed")
transformers: Any = pytest.importorskip("transformers", reason="transformers is not installed")

WINDOW = 100  # encoder frames of Whisper's, 2 s
SECONDS = tuple(0.3 + 0.034 * number for number in range(50))  # all within the window
START, END = 1, 2
VOCAB_SIZE = 96  # of Moonshine's
WHISPER_VOCAB_SIZE = 1_600  # times included, which the tokenizer does not list
SILENT = (5, 6, 7)
LIMIT = 12  # tokens
GREEDY = DecodingOptions(guards=False, max_tokens=LIMIT)
ALIGNMENT_HEADS = ((0, 1), (1, 0))  # of Whisper's in a folder
Said = tuple[int, ...]
Peer: TypeAlias = Any  # a model of code without types


@functools.cache
def heard() -> tuple[npt.NDArray[np.float32], ...]:
    """Fifty sounds, no length twice."""
    return tuple(sound(number, seconds) for number, seconds in enumerate(SECONDS))


def openai_model(**dims: int) -> Peer:
    """Of openai-whisper, with its own vocabulary."""
    usual = {
        "n_mels": 80,
        "n_audio_ctx": WINDOW,
        "n_audio_state": 32,
        "n_audio_head": 2,
        "n_audio_layer": 2,
        "n_vocab": 51_865,
        "n_text_ctx": 48,
        "n_text_state": 32,
        "n_text_head": 2,
        "n_text_layer": 2,
    }
    model: nn.Module = whisper.model.Whisper(whisper.model.ModelDimensions(**{**usual, **dims}))
    return _listening(model, "encoder.conv1.weight", 1.5)


def small_whisper(**dims: int) -> Peer:
    """Of openai-whisper, with the short vocabulary and room for a sentence in small pieces."""
    return openai_model(n_vocab=short_vocabulary().vocab_size, n_text_ctx=64, **dims)


def openai_file(folder: Path, model: Peer) -> Path:
    """As OpenAI saves it."""
    path = folder / "tiny.pt"
    torch.save({"dims": vars(model.dims), "model_state_dict": model.state_dict()}, path)
    return path


def hub_whisper(**dims: object) -> nn.Module:
    """Of transformers, with a small vocabulary."""
    usual: dict[str, object] = {
        "vocab_size": WHISPER_VOCAB_SIZE,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "max_source_positions": WINDOW,
        "max_target_positions": 48,
        "decoder_start_token_id": START,
        "eos_token_id": END,
        "bos_token_id": END,
        "pad_token_id": 0,
        "suppress_tokens": list(SILENT),
        "begin_suppress_tokens": None,
    }
    config = transformers.WhisperConfig(**{**usual, **dims})
    model: nn.Module = transformers.WhisperForConditionalGeneration(config)
    return _listening(model, "model.encoder.conv1.weight", 1.5)


def hub_moonshine(**dims: object) -> nn.Module:
    """Of transformers, with heads whose dimensions turn in part."""
    usual: dict[str, object] = {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 40,
        "intermediate_size": 64,
        "encoder_num_hidden_layers": 2,
        "decoder_num_hidden_layers": 2,
        "encoder_num_attention_heads": 2,
        "decoder_num_attention_heads": 2,
        "pad_head_dim_to_multiple_of": 8,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
    }
    config = transformers.MoonshineConfig(**{**usual, **dims})
    model: nn.Module = transformers.MoonshineForConditionalGeneration(config)
    return _listening(model, "model.encoder.conv1.weight", 2.0)


def save(model: Peer, folder: Path, *, shard: str = "5GB") -> Path:
    """As transformers saves it, with a tokenizer that fits."""
    model.save_pretrained(folder, max_shard_size=shard)
    is_whisper = model.config.model_type == "whisper"
    write_tokenizer(folder, WHISPER_VOCAB_SIZE - 1_501 if is_whisper else VOCAB_SIZE)
    return folder


def hub_folder(theirs: Peer, folder: Path, tokenizer: WhisperTokenizer) -> Path:
    """The weights of openai-whisper's model as transformers saves them, with that vocabulary."""
    wide = 4 * theirs.dims.n_audio_state
    size = {
        "vocab_size": theirs.dims.n_vocab,
        "encoder_ffn_dim": wide,
        "decoder_ffn_dim": wide,
        "max_source_positions": theirs.dims.n_audio_ctx,
        "max_target_positions": theirs.dims.n_text_ctx,
    }
    start, end = tokenizer.start, tokenizer.end
    ids = {"decoder_start_token_id": start, "eos_token_id": end, "bos_token_id": end}
    silent = list(tokenizer.special.suppressed)
    model: Peer = hub_whisper(**size, **ids, pad_token_id=end, suppress_tokens=silent)
    weights = theirs.state_dict()
    names = {name: name for name in model.state_dict()}
    names["proj_out.weight"] = "model.decoder.embed_tokens.weight"
    model.load_state_dict({name: weights[openai_name(hub)] for name, hub in names.items()})
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer.serialized)
    (folder / "generation_config.json").write_text(json.dumps(_generation(tokenizer)))
    return folder


def _generation(tokenizer: WhisperTokenizer) -> dict[str, object]:
    return {
        "decoder_start_token_id": tokenizer.start,
        "eos_token_id": tokenizer.end,
        "lang_to_id": {f"<|{code}|>": token for code, token in tokenizer.languages.items()},
        "task_to_id": {task: tokenizer.task(task) for task in ("translate", "transcribe")},
        "no_timestamps_token_id": tokenizer.no_timestamps,
        "suppress_tokens": list(tokenizer.special.suppressed),
        "alignment_heads": [list(each) for each in ALIGNMENT_HEADS],
    }


def write_tokenizer(folder: Path, size: int) -> None:
    """A `tokenizer.json` of so many pieces; its last ones are Whisper's marks."""
    marks = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
    pieces = [f"p{number}" for number in range(size - len(marks))]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    model = tokenizers.models.BPE(vocab=vocab, merges=[])
    described = json.loads(tokenizers.Tokenizer(model).to_str())
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    described["added_tokens"] = [
        {"id": len(pieces) + at, "content": mark, **flags, "special": True}
        for at, mark in enumerate(marks)
    ]
    (folder / "tokenizer.json").write_text(json.dumps(described))


def runner(checkpoint: Checkpoint, slots: int = 64) -> ModelRunner:
    """On the CPU, in float32."""
    return ModelRunner(checkpoint.model, torch.device("cpu"), config=EngineConfig(slots=slots))


def features(listener: ModelRunner, sounds: Sequence[npt.NDArray[np.float32]]) -> list[Tensor]:
    """What the encoder is shown of each."""
    return listener._features([Request(each) for each in sounds])


def greedy(
    listener: ModelRunner, sounds: Sequence[npt.NDArray[np.float32]]
) -> list[tuple[Said, bool]]:
    """The tokens of each, all decoded together, and whether END came."""
    jobs = [Job(Request(each, GREEDY), submitted=0.0) for each in sounds]
    for job in jobs:
        job.cost = listener.check(job.request)
    listener.join(jobs)
    said: dict[int, tuple[Said, bool]] = {}
    while len(said) < len(jobs):
        for job, result in listener.step():
            assert not isinstance(result, AuricleError)
            said[id(job)] = result.tokens, result.ended
    return [said[id(job)] for job in jobs]


def assert_worth_comparing(references: Sequence[tuple[Said, bool]]) -> None:
    """Else anything would pass."""
    assert len({tokens for tokens, _ in references}) >= 40
    assert 3 <= sum(ended for _, ended in references) < len(references)


def _listening(model: nn.Module, stem: str, gain: float) -> nn.Module:
    """`gain` of matrices: more says more, and rounds more."""
    torch.manual_seed(5)
    model.eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            weight.normal_(std=0.1)
        elif "embed" in name:
            weight.normal_(std=weight.shape[-1] ** -0.5)
        elif weight.dim() > 1:
            weight.normal_(std=gain * weight[0].numel() ** -0.5)
    first = model.get_parameter(stem)
    first.sub_(first.mean(dim=(1, 2), keepdim=True)).mul_(3)  # deaf to what all sounds share
    return model


def let_some_end(embedding: Tensor, end: int, said: Sequence[Said]) -> None:
    """Make END a little likelier than a token that some of the answers hold, but not early."""
    late = Counter(token for tokens in said for token in set(tokens) - set(tokens[:3]))
    early = Counter(token for tokens in said for token in set(tokens[:3]))
    chosen = max(late, key=lambda token: min(late[token], len(said) // 3) - 3 * early[token])
    embedding[end] = 1.02 * embedding[chosen]


def until_end(tokens: Sequence[int], end: int = END) -> tuple[Said, bool]:
    """What is said before END, and whether that came."""
    row = list(tokens)
    return tuple(row[: row.index(end)] if end in row else row), end in row
