"""Checkpoints of random weights, made and saved by transformers' own code, that never say END.

Of Whisper END is suppressed, as the peers are told to; of Moonshine its vector is zero, so that
its logit is 0 where the best of all others is above.
"""

import json
from functools import cache
from pathlib import Path

import tokenizers
import torch
from torch import nn

from auricle.config import TransformerConfig
from auricle.families.whisper.openai_vocabulary import openai_tokenizer
from auricle.tokenizer.folder import TOKENIZER
from benchmarks.peers.peer import END, PROMPT

START, ENGLISH, TRANSCRIBE, NO_TIMESTAMPS = PROMPT
GENERATION = {
    "decoder_start_token_id": START,
    "eos_token_id": END,
    "no_timestamps_token_id": NO_TIMESTAMPS,
    "lang_to_id": {"<|en|>": ENGLISH},
    "task_to_id": {"transcribe": TRANSCRIBE},
    "suppress_tokens": [END],
}


def save_whisper(dims: TransformerConfig, folder: Path, *, lively: bool = False) -> None:
    """The weights that CTranslate2 and transformers are measured with.

    `lively` ones are scaled so that what was heard decides what is said; else a token is likely
    to follow itself.

    Raises TokenizerMissingError where openai-whisper, whose vocabulary it takes, is not installed.
    """
    from benchmarks.peers.hugging import whisper

    model = whisper(dims)
    if lively:
        _enliven(model)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(GENERATION), encoding="utf-8")
    (folder / TOKENIZER).write_bytes(_vocabulary())


def save_moonshine(dims: TransformerConfig, folder: Path) -> None:
    """The weights that transformers is measured with; its vocabulary is invented."""
    from benchmarks.peers.moonshine import moonshine

    moonshine(dims).save_pretrained(folder)
    vocab = {f"w{number}": number for number in range(dims.vocab_size)}
    tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocab, merges=[])).save(
        str(folder / TOKENIZER)
    )


@cache
def _vocabulary() -> bytes:
    """Whisper's: seconds of work."""
    return openai_tokenizer(multilingual=True).serialized


@torch.no_grad()
def _enliven(model: nn.Module) -> None:
    """Matrices that neither shrink nor blow up what goes through; a stem that hears contrasts."""
    for name, weight in model.named_parameters():
        if "embed_tokens" in name:
            weight.normal_(std=weight.shape[-1] ** -0.5)
        elif weight.dim() > 1 and "embed" not in name:
            weight.normal_(std=weight[0].numel() ** -0.5)
    stem = model.get_parameter("model.encoder.conv1.weight")
    stem.sub_(stem.mean(dim=(1, 2), keepdim=True)).mul_(3)  # deaf to what all sounds share
