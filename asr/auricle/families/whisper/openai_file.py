"""OpenAI's own files of Whisper, `.pt`: dimensions and weights by other names, no vocabulary."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from auricle.families.description import Description
from auricle.families.parts import renamed
from auricle.families.published import Published, configured
from auricle.families.weights import LoadedWeights, load_pickle
from auricle.families.whisper.config import configure
from auricle.families.whisper.openai_vocabulary import openai_tokenizer
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.families.whisper.weight_map import sources
from auricle.tokenizer.folder import TOKENIZER, folder_tokenizer
from auricle.tokenizer.languages import LANGUAGES
from auricle_types.errors import CorruptCheckpointError, UnknownArchitectureError

_ENGLISH, _MULTILINGUAL = 51_864, 51_865  # ids; large-v3 has one language more
_OTHERS = 51_765  # ids that are no language, with but one of the two above
_NAMES = (  # parts of the Hub's names, and what they are here, one after the other
    ("model.", ""),
    ("embed_positions.weight", "positional_embedding"),
    ("embed_tokens", "token_embedding"),
    ("encoder.layer_norm", "encoder.ln_post"),
    ("decoder.layer_norm", "decoder.ln"),
    (".layers.", ".blocks."),
    ("self_attn_layer_norm", "attn_ln"),
    ("encoder_attn_layer_norm", "cross_attn_ln"),
    ("final_layer_norm", "mlp_ln"),
    ("self_attn", "attn"),
    ("encoder_attn", "cross_attn"),
    ("q_proj", "query"),
    ("k_proj", "key"),
    ("v_proj", "value"),
    ("out_proj", "out"),
    ("fc1", "mlp.0"),
    ("fc2", "mlp.2"),
)
_DIMS = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}


@dataclass(frozen=True, slots=True)
class OpenAiFile:
    """The contents of such a file, in the terms of a folder of the Hub."""

    description: Description
    weights: LoadedWeights

    @classmethod
    def read(cls, path: Path) -> "OpenAiFile":
        """Read the file without running anything in it.

        Raises:
            UnsafeCheckpointError: it holds code.
            CorruptCheckpointError: it is damaged.
            UnknownArchitectureError: it holds another model.
        """
        found = load_pickle(path)
        if not isinstance(found.get("dims"), dict) or "model_state_dict" not in found:
            raise UnknownArchitectureError(
                f"{path}: no file of OpenAI's Whisper, which holds dims and model_state_dict: "
                "take the model's folder with config.json and model.safetensors"
            )
        weights = found["model_state_dict"]
        if not isinstance(weights, dict) or not all(
            isinstance(weight, Tensor) for weight in weights.values()
        ):
            raise CorruptCheckpointError(f"{path}: model_state_dict must hold weights")
        return cls(_description(path.stem, found["dims"]), LoadedWeights(weights))


class OpenAiFormat:
    """A `FileFormat`: a single `.pt` file."""

    suffix = ".pt"

    def holds(self, path: Path) -> bool:
        """Go by the name of the file."""
        return path.suffix == self.suffix and path.is_file()

    def read(self, path: Path) -> Published:
        """Read the dimensions, and map the weights; raises as `OpenAiFile.read`."""
        file = OpenAiFile.read(path)
        config = configured(configure, file.description)
        return Published(
            config,
            renamed(sources(config.transformer), openai_name),
            file.weights,
            partial(_tokenizer, path, config.transformer.vocab_size),
            suppresses_by_vocabulary=True,
        )


def _tokenizer(path: Path, vocab_size: int) -> WhisperTokenizer:
    """Read the `tokenizer.json` beside the file, or the package that made the file."""
    if (path.parent / TOKENIZER).is_file():
        return folder_tokenizer(path.parent, WhisperTokenizer)
    kind = vocabulary_kind(vocab_size)
    return openai_tokenizer(multilingual=kind.multilingual, languages=kind.languages)


def openai_name(hub: str) -> str:
    """Translate the Hub's name of a weight."""
    for theirs, ours in _NAMES:
        hub = hub.replace(theirs, ours)
    return hub


def _description(name: str, dims: dict[str, Any]) -> Description:
    config = {hub: dims.get(openai) for openai, hub in _DIMS.items()}
    about = Description(name, {"model_type": "whisper", **config})
    width, n_vocab = (about.get(each, int) for each in ("d_model", "vocab_size"))
    if dims.get("n_text_state") != width:
        raise CorruptCheckpointError(f"{name}: n_text_state must be n_audio_state, {width}")
    wide = dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 4 * width)
    return replace(about, config=about.config | wide, generation=_generation(n_vocab, name))


@dataclass(frozen=True, slots=True)
class VocabularyKind:
    """Whisper's vocabularies differ in their languages alone."""

    multilingual: bool
    languages: int


def vocabulary_kind(n_vocab: int) -> VocabularyKind:
    """Tell the kind of a vocabulary by its size."""
    multilingual = n_vocab >= _MULTILINGUAL
    return VocabularyKind(multilingual, n_vocab - _OTHERS - int(multilingual))


def _generation(n_vocab: int, name: str) -> dict[str, Any]:
    """Compute the ids of the special tokens, which follow from the size of the vocabulary."""
    kind = vocabulary_kind(n_vocab)
    if n_vocab < _ENGLISH or kind.languages > len(LANGUAGES):
        raise CorruptCheckpointError(f"{name}: no Whisper has a vocabulary of {n_vocab}")
    start = 50_257 + int(kind.multilingual)
    first = start + kind.languages + 1  # behind the languages
    names = ("translate", "transcribe", "start_of_lm", "start_of_previous", "no_speech")
    ids = {name: first + at for at, name in enumerate(names)}
    generation: dict[str, Any] = {
        "decoder_start_token_id": start,
        "eos_token_id": start - 1,
        "no_timestamps_token_id": first + len(names),
        "suppress_tokens": [start, *ids.values()],
    }
    if kind.multilingual:
        generation["lang_to_id"] = {"<|en|>": start + 1}
        generation["task_to_id"] = {task: ids[task] for task in ("translate", "transcribe")}
    return generation
