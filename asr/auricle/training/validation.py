"""Word error rates of a model in training, on the dev sets."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.config import SAMPLE_RATE, ModelConfig
from auricle.decoding import ctc_greedy, decode_all, new_search
from auricle.evaluation import ErrorCounts, load_utterance, read_manifest, word_errors
from auricle.features import Features
from auricle.model import SpeechTransformer
from auricle.tokenizer import Vocabulary
from auricle.training.batches import make_batches
from auricle.training.journal import Rates
from auricle.training.silence import with_silence
from auricle_types.options import DecodingOptions


@dataclass(frozen=True, slots=True)
class DevSet:
    """Waveforms `(S,)` with their transcripts, in memory."""

    name: str
    waveforms: list[Tensor]
    texts: list[str]


def load_dev_set(manifest: Path) -> DevSet:
    """Decode the audio of a dev manifest."""
    utterances = read_manifest(manifest)
    waveforms = [torch.from_numpy(load_utterance(u).samples) for u in utterances]
    return DevSet(manifest.stem, waveforms, [u.text for u in utterances])


class Validator:
    """Greedy decoding by each head."""

    def __init__(self, features: Features, tokenizer: Vocabulary, batch_seconds: float) -> None:
        self.features = features
        self.tokenizer = tokenizer
        self.batch_seconds = batch_seconds

    @torch.inference_mode()
    def wer(self, model: SpeechTransformer, dev: DevSet) -> Rates:
        """WER by CTC, if there is such a head, and by attention."""
        ctc, attention = [""] * len(dev.texts), [""] * len(dev.texts)
        has_ctc, device = model.config.transformer.ctc, model.decoder.embedding.weight.device
        for rows, xs in self._batches(dev, model.config):
            encoder_outs = model.encoder.encode([x.to(device) for x in xs])
            for row, tokens in zip(rows, said(model, encoder_outs), strict=True):
                attention[row] = self.tokenizer.decode(tokens)
            for row, out in zip(rows, encoder_outs if has_ctc else (), strict=has_ctc):
                ctc[row] = self.tokenizer.decode(ctc_greedy(model.ctc(out)))
        return _wer(dev.texts, ctc) if has_ctc else None, _wer(dev.texts, attention)

    def _batches(
        self, dev: DevSet, config: ModelConfig
    ) -> Iterator[tuple[list[int], list[Tensor]]]:
        """Row numbers and features `(T_i, n_mels)` of each batch."""
        seconds = [len(waveform) / SAMPLE_RATE for waveform in dev.waveforms]
        for rows in make_batches(seconds, self.batch_seconds, seed=0, epoch=0):
            waveforms = [dev.waveforms[row] for row in rows]
            lens = torch.tensor([len(waveform) for waveform in waveforms])
            x, x_lens = self.features(*with_silence(pad_sequence(waveforms, True), lens, config))
            yield rows, [each[:length] for each, length in zip(x, x_lens.tolist(), strict=True)]


def said(model: SpeechTransformer, encoder_outs: list[Tensor]) -> list[tuple[int, ...]]:
    """The tokens of each utterance by the decoder, no more than it has frames and places for."""
    special, most = model.config.tokens, model.config.transformer.max_tokens
    room = most - len(special.start) + 1 if most else math.inf
    searches = [
        new_search(DecodingOptions(), int(min(len(out), room)), end=special.end)
        for out in encoder_outs
    ]
    decode_all(model.decoder, encoder_outs, searches, special)
    return [search.best().tokens for search in searches]


def _wer(references: list[str], hypotheses: list[str]) -> float:
    counts = map(word_errors, references, hypotheses)
    return sum(counts, start=ErrorCounts()).rate
