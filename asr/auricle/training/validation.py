"""Word error rates of a model in training, on the dev sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.decoding import ctc_greedy, decode_all, new_search
from auricle.evaluation import ErrorCounts, read_manifest, word_errors
from auricle.features import LogMel
from auricle.model import SpeechTransformer
from auricle.tokenizer import Tokenizer
from auricle.training.batches import make_batches


@dataclass(frozen=True, slots=True)
class DevSet:
    """Waveforms `(S,)` with their transcripts, in memory."""

    name: str
    waveforms: list[Tensor]
    texts: list[str]


def load_dev_set(manifest: Path) -> DevSet:
    """Decode the audio of a dev manifest."""
    utterances = read_manifest(manifest)
    waveforms = [torch.from_numpy(load_audio(u.audio).samples) for u in utterances]
    return DevSet(manifest.stem, waveforms, [u.text for u in utterances])


class Validator:
    """Greedy decoding by both heads."""

    def __init__(self, features: LogMel, tokenizer: Tokenizer, batch_seconds: float) -> None:
        self.features = features
        self.tokenizer = tokenizer
        self.batch_seconds = batch_seconds

    @torch.inference_mode()
    def wer(self, model: SpeechTransformer, dev: DevSet) -> tuple[float, float]:
        """WER by CTC and by attention."""
        ctc, attention = [""] * len(dev.texts), [""] * len(dev.texts)
        for rows, xs in self._batches(dev):
            encoder_outs = model.encoder.encode([x.to(model.ctc.weight.device) for x in xs])
            searches = [new_search(DecodingOptions(), len(out)) for out in encoder_outs]
            decode_all(model.decoder, encoder_outs, searches)
            for row, out, search in zip(rows, encoder_outs, searches, strict=True):
                ctc[row] = self.tokenizer.decode(ctc_greedy(model.ctc(out)))
                attention[row] = self.tokenizer.decode(search.best().tokens)
        return _wer(dev.texts, ctc), _wer(dev.texts, attention)

    def _batches(self, dev: DevSet) -> Iterator[tuple[list[int], list[Tensor]]]:
        """Row numbers and features `(T_i, n_mels)` of each batch."""
        seconds = [len(waveform) / SAMPLE_RATE for waveform in dev.waveforms]
        for rows in make_batches(seconds, self.batch_seconds, seed=0, epoch=0):
            waveforms = [dev.waveforms[row] for row in rows]
            lens = torch.tensor([len(waveform) for waveform in waveforms])
            x, x_lens = self.features(pad_sequence(waveforms, True), lens)
            yield rows, [each[:length] for each, length in zip(x, x_lens.tolist(), strict=True)]


def _wer(references: list[str], hypotheses: list[str]) -> float:
    counts = map(word_errors, references, hypotheses)
    return sum(counts, start=ErrorCounts()).rate
