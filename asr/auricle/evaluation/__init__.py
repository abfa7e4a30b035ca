"""How good the words are: manifests, WER and CER with their counts, reports, RTFx."""

from auricle.evaluation.clip import load_clip, load_utterance
from auricle.evaluation.evaluate import RecognizedText, evaluate, score
from auricle.evaluation.manifest import Utterance, read_manifest
from auricle.evaluation.normalize import normalize
from auricle.evaluation.normalizers import Normalizer, normalizer
from auricle.evaluation.report import Report, ScoredUtterance
from auricle.evaluation.wer import ErrorCounts, align, char_errors, word_errors

__all__ = [
    "ErrorCounts",
    "Normalizer",
    "RecognizedText",
    "Report",
    "ScoredUtterance",
    "Utterance",
    "align",
    "char_errors",
    "evaluate",
    "load_clip",
    "load_utterance",
    "normalize",
    "normalizer",
    "read_manifest",
    "score",
    "word_errors",
]
