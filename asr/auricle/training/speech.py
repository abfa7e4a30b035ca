"""The speech that a recipe trains on."""

from auricle.training.config import TrainingConfig
from auricle.training.corpus import open_corpus
from auricle.training.selection import Speech, usable


def load_speech(config: TrainingConfig) -> Speech:
    """That of all manifests, as far as it can be trained on. Raises ManifestError."""
    data = config.data
    speech = [
        (corpus, utterance)
        for manifest in data.train
        for corpus in [open_corpus(manifest, data.cache, data.on_bad)]
        for utterance in corpus.utterances
    ]
    return usable(speech, data, config.model)
