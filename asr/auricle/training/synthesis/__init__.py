"""Synthetic training speech: sentences in, tar shards of Opus and a manifest out.

    sentences -> plan (which sentence, which voice) -> engines (waveforms) -> corpus (shards)

Utterance `i` of a seed is always the same sentence by the same voice, so a run may stop anywhere,
go on later, ask for more hours, or use another number of workers.
"""

from auricle.training.synthesis.corpus import MANIFEST
from auricle.training.synthesis.engines import DEFAULT_ENGINES, ENGINES, speakers_of
from auricle.training.synthesis.run import SynthesisConfig, SynthesisSummary, synthesize
from auricle.training.synthesis.sentences import Sentence, read_sentences

__all__ = [
    "DEFAULT_ENGINES",
    "ENGINES",
    "MANIFEST",
    "Sentence",
    "SynthesisConfig",
    "SynthesisSummary",
    "read_sentences",
    "speakers_of",
    "synthesize",
]
