"""Whisper as a family: every size, Distil-Whisper and turbo included."""

from pathlib import Path

from auricle.config import ModelConfig, SpecialTokens
from auricle.decoding import DecodingPolicy, PlainPolicy
from auricle.families.family import Family, HubMapping, VocabularyCut
from auricle.families.whisper.config import configure
from auricle.families.whisper.ctranslate2 import Ct2Format
from auricle.families.whisper.features import WhisperLogMel
from auricle.families.whisper.openai_file import OpenAiFormat
from auricle.families.whisper.policy import WhisperPolicy
from auricle.families.whisper.prompts import plain_prompt
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.families.whisper.vocabulary_cut import cut_vocabulary
from auricle.families.whisper.weight_map import sources
from auricle.families.whisper.word_times import WordTimer
from auricle.tokenizer import Vocabulary
from auricle.tokenizer.folder import folder_tokenizer
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
)


def _tokenizer(folder: Path) -> Vocabulary:
    return folder_tokenizer(folder, WhisperTokenizer)


def _policy(config: ModelConfig, vocabulary: Vocabulary) -> DecodingPolicy:
    if not isinstance(vocabulary, WhisperTokenizer):
        return PlainPolicy(config.language)
    _check_agree(config, vocabulary)
    timer = WordTimer(vocabulary, config.alignment_heads)
    return WhisperPolicy(vocabulary, config.transformer.max_tokens, timer)


def _check_agree(config: ModelConfig, vocabulary: WhisperTokenizer) -> None:
    """Generations of Whisper differ by a language, and all ids behind it by one."""
    ours, listed = config.tokens, _special(config.name, vocabulary)
    if (ours.start[0], ours.end) != (listed.start[0], listed.end):
        raise CheckpointMismatchError(
            f"{config.name}: START and END are {ours.start[0]} and {ours.end}, but "
            f"{listed.start[0]} and {listed.end} in its vocabulary: take both from the same model"
        )
    prompt = plain_prompt(vocabulary).tokens
    if not set(ours.start) <= set(prompt):
        raise CheckpointMismatchError(
            f"{config.name}: its prompt begins with {list(ours.start)}, but with {list(prompt)} by "
            "its vocabulary: take both from the same model"
        )


def _special(name: str, vocabulary: WhisperTokenizer) -> SpecialTokens:
    try:
        return vocabulary.special
    except CorruptCheckpointError as error:
        raise CorruptCheckpointError(f"{name}: {error}") from error


def _cut_vocabulary(vocabulary: Vocabulary, merges: int) -> VocabularyCut[Vocabulary]:
    if not isinstance(vocabulary, WhisperTokenizer):
        raise InvalidOptionError("vocabulary can be cut of Whisper models only: leave it out")
    return cut_vocabulary(vocabulary, merges)


FAMILY = Family(
    name="whisper",
    models="Whisper, Distil-Whisper",
    features={"whisper": WhisperLogMel},
    tokenizers={"whisper": WhisperTokenizer},
    policy=_policy,
    hub=HubMapping(configure, sources, _tokenizer),
    formats=(OpenAiFormat(), Ct2Format()),
    cut_vocabulary=_cut_vocabulary,
    fills_window=True,
)
