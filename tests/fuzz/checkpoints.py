"""The files of models: ours, those of the Hub, of CTranslate2 and of OpenAI, one file damaged.

An input is the path of the file below a folder of good ones, a line's end, and its bytes.
"""

import functools
import json
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from auricle.checkpoint import save_checkpoint
from auricle.config import ModelConfig, TransformerConfig
from auricle.families import family_of
from auricle.families.description import Description
from auricle.families.parts import Sources
from auricle.families.whisper import ctranslate2
from auricle.language_model import save_language_model
from auricle.model import SpeechTransformer, skeleton
from auricle.pretrained import describe, load_pretrained
from auricle.tokenizer.listed import list_to_json
from auricle_types.errors import AuricleError
from tests.asr.families.whisper.model_bins import write_model_bin
from tests.asr.language_models import random_model
from tests.asr.tiny import VOCAB_SIZE, tiny_tokenizer
from tests.fuzz.mutations import mutated, mutated_value, to_json

EXPECTED = (AuricleError,)
_MARKS = ("endoftext", "startoftranscript", "en", "translate", "transcribe", "startoflm")
_MORE_MARKS = ("startofprev", "nospeech", "notimestamps")
_PIECES = [*"abcd", *(f"<|{mark}|>" for mark in (*_MARKS, *_MORE_MARKS))]
_DIMS = dict.fromkeys(
    ("encoder_layers", "decoder_layers", "encoder_attention_heads", "decoder_attention_heads"), 1
) | {
    "d_model": 2,
    "encoder_ffn_dim": 2,
    "decoder_ffn_dim": 2,
    "num_mel_bins": 2,
    "max_source_positions": 4,
    "max_target_positions": 4,
    "vocab_size": len(_PIECES) + 1_501,
}
_WHISPER = {"model_type": "whisper", **_DIMS}
_GENERATION = {
    "decoder_start_token_id": _PIECES.index("<|startoftranscript|>"),
    "eos_token_id": _PIECES.index("<|endoftext|>"),
    "lang_to_id": {"<|en|>": _PIECES.index("<|en|>")},
    "task_to_id": {"transcribe": _PIECES.index("<|transcribe|>")},
    "no_timestamps_token_id": _PIECES.index("<|notimestamps|>"),
    "suppress_tokens": [1, 2],
    "alignment_heads": [[0, 0]],
}


def seeds() -> list[bytes]:
    """Every file of the good models."""
    folder = _folder()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [str(p.relative_to(folder)).encode() + b"\n" + p.read_bytes() for p in paths]


def new(seeds: list[bytes], random: Random) -> bytes:
    """A file with an odd value in its header, or with damaged bytes."""
    name, _, data = random.choice(seeds).partition(b"\n")
    if random.random() < 0.6:
        if name.endswith(b".json"):
            data = to_json(mutated_value(json.loads(data), random)).encode("utf-8", "replace")
        elif name.endswith(b".safetensors"):
            data = _with_header(data, random)
    else:
        others = [seed.partition(b"\n")[2] for seed in seeds]
        data = mutated(data, others, random)
    return name + b"\n" + data


def _with_header(data: bytes, random: Random) -> bytes:
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    about = header.get("__metadata__")
    if about and random.random() < 0.6:
        key, text = random.choice(list(about.items()))
        about[key] = to_json(mutated_value(json.loads(text), random))
    else:
        header = mutated_value(header, random)
    raw = to_json(header).encode("utf-8", "replace")
    return struct.pack("<Q", len(raw)) + raw + data[8 + size :]


def attempt(data: bytes) -> None:
    """Load the model with this file in place of the good one."""
    name, _, content = data.partition(b"\n")
    path = _folder() / name.decode()
    good = path.read_bytes()
    path.unlink()  # what is mapped may not change
    try:
        path.write_bytes(content)
        for read in (describe, load_pretrained):
            with suppress(*EXPECTED):
                read(_loaded(path))
    finally:
        path.unlink()
        path.write_bytes(good)


def _loaded(path: Path) -> Path:
    match path.parent.name:
        case "ours":
            return path.parent / "tiny.safetensors"
        case "openai":
            return path
    return path.parent


# --- the good models ---------------------------------------------------------------------------


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    for name in ("ours", "hub", "ct2", "openai"):
        (folder / name).mkdir()
    _write_ours(folder / "ours")
    _write_hub(folder / "hub")
    _write_ct2(folder / "ct2")
    dims = {"n_mels": 2, "n_audio_ctx": 4, "n_audio_state": 2, "n_audio_head": 1}
    weights = {"decoder.token_embedding.weight": torch.zeros(3, 2)}
    torch.save({"dims": dims, "model_state_dict": weights}, folder / "openai" / "tiny.pt")
    for each in ("ours", "hub", "ct2"):
        load_pretrained(folder / each / ("tiny.safetensors" if each == "ours" else ""))
    return folder


def _write_ours(folder: Path) -> None:
    transformer = TransformerConfig(
        vocab_size=VOCAB_SIZE,
        d_model=4,
        n_heads=1,
        encoder_layers=1,
        decoder_layers=1,
        ffn_dim=4,
        conv_kernel=3,
    )
    model = SpeechTransformer(ModelConfig(name="tiny", transformer=transformer))
    save_checkpoint(folder / "tiny.safetensors", model, tiny_tokenizer(), torch.int8)
    language_model, _ = random_model(vocab_size=VOCAB_SIZE, order=2, share=0.1)
    save_language_model(folder / "tiny.lm.safetensors", language_model, tiny_tokenizer())


def _write_json(folder: Path, config: dict[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps(_GENERATION))


def _write_hub(folder: Path) -> None:
    _write_json(folder, _WHISPER)
    hub = family_of("whisper").hub
    if hub is None:
        raise LookupError("Whisper is no longer read from the Hub")
    weights = _zeros(hub.configure(Description.of(folder)), hub.sources)
    save_file(weights, folder / "model.safetensors")
    (folder / "tokenizer.json").write_bytes(list_to_json(_PIECES))


def _write_ct2(folder: Path) -> None:
    config = family_of("whisper").hub.configure(Description("ct2", _WHISPER, _GENERATION))  # type: ignore[union-attr]
    weights = {k: v.numpy() for k, v in _zeros(config, ctranslate2.sources).items()}
    numbers = {"decoder/activation": 3, "decoder/pre_norm": 1}
    heads = {"encoder/num_heads": 1, "decoder/num_heads": 1}
    flags = {name: np.array(value, np.int8) for name, value in {**numbers, **heads}.items()}
    alias = ("decoder/projection/weight", "decoder/embeddings/weight")
    write_model_bin(folder / "model.bin", {**weights, **flags}, [alias])
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [1, 2]}))
    (folder / "vocabulary.json").write_text(json.dumps(_PIECES))


def _zeros(config: ModelConfig, sources: Any) -> dict[str, torch.Tensor]:  # noqa: ANN401
    """The weights of a model by the names of its makers."""
    named: Sources = sources(config.transformer)
    shapes = {name: tuple(each.shape) for name, each in skeleton(config).state_dict().items()}
    return {
        part.name: torch.zeros(
            shapes[ours][0] // len(parts), *shapes[ours][1:], dtype=torch.float16
        )
        for ours, parts in named.items()
        for part in parts
        if part.name is not None
    }
