"""Auricle's own models as a family."""

from auricle.config import ModelConfig
from auricle.decoding import DecodingPolicy, PlainPolicy
from auricle.families.auricle.ctc_words import CtcAligner
from auricle.families.family import Family
from auricle.features import LogMel
from auricle.tokenizer import Tokenizer, Vocabulary


def _policy(config: ModelConfig, vocabulary: Vocabulary) -> DecodingPolicy:
    """Word times need the CTC head, and tokens that begin words."""
    if not config.transformer.ctc or not isinstance(vocabulary, Tokenizer):
        return PlainPolicy(config.language)
    frame_seconds = config.transformer.subsampling / config.features.frames_per_second
    return PlainPolicy(config.language, CtcAligner(vocabulary, frame_seconds))


FAMILY = Family(
    name="auricle",
    models="Auricle's own",
    features={"log_mel": LogMel},
    tokenizers={"sentencepiece": Tokenizer},
    policy=_policy,
)
