"""Moonshine as a family."""

from pathlib import Path

from auricle.config import ModelConfig
from auricle.decoding import DecodingPolicy, PlainPolicy
from auricle.families.family import Family, HubMapping
from auricle.families.moonshine.config import configure
from auricle.families.moonshine.weight_map import sources
from auricle.features import Waveform
from auricle.tokenizer import Vocabulary
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.folder import folder_tokenizer


def _tokenizer(folder: Path) -> Vocabulary:
    return folder_tokenizer(folder, BytePairTokenizer)


def _policy(config: ModelConfig, _vocabulary: Vocabulary) -> DecodingPolicy:
    return PlainPolicy(config.language)


FAMILY = Family(
    name="moonshine",
    models="Moonshine",
    features={"samples": Waveform},
    tokenizers={"byte_pairs": BytePairTokenizer},
    policy=_policy,
    hub=HubMapping(configure, sources, _tokenizer),
)
