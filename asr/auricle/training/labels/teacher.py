"""A model that listens to whole windows, and what it says."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from auricle.checkpoint import Checkpoint
from auricle.families import new_features
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.training.arithmetic import arithmetic
from auricle.training.corpus import Corpus, TrainingUtterance
from auricle.training.labels.correction import corrected, similar
from auricle.training.labels.label import Label
from auricle.training.labels.tokens import tokens_of
from auricle.training.silence import with_silence
from auricle.training.validation import said
from auricle_types.errors import InvalidOptionError

LIKELY = 48  # tokens that are kept of each place: 0.99 of the probability and more
LEAST_SIMILAR = 0.5  # of letters: below, teacher or reference is of another utterance


class Teacher:
    """Labels utterances, a few together."""

    def __init__(
        self, checkpoint: Checkpoint, device: torch.device, normalise: Callable[[str], str]
    ) -> None:
        """Raises InvalidOptionError where `checkpoint` is no Whisper model."""
        if not isinstance(checkpoint.tokenizer, WhisperTokenizer):
            raise InvalidOptionError("[teacher] model must be a Whisper model")
        self._model = checkpoint.model.to(device).eval()
        self._tokenizer = checkpoint.tokenizer
        self._features = new_features(checkpoint.model.config)
        self._device = device
        self._normalise = normalise

    @torch.inference_mode()
    def label(self, speech: Sequence[tuple[Corpus, TrainingUtterance]]) -> dict[str, Label]:
        """Those of utterances whose reference can be trusted, by their names."""
        encoder_outs = self._encode([torch.from_numpy(c.samples(u)) for c, u in speech])
        texts = [self._tokenizer.decode(tokens) for tokens in said(self._model, encoder_outs)]
        labels = {}
        for (_, utterance), text, encoder_out in zip(speech, texts, encoder_outs, strict=True):
            if similar(text, utterance.text) >= LEAST_SIMILAR:
                correction = corrected(text, utterance.text, self._normalise)
                labels[utterance.name] = self._thought(correction.text, encoder_out)
        return labels

    def _encode(self, waveforms: list[Tensor]) -> list[Tensor]:
        lens = torch.tensor([len(waveform) for waveform in waveforms])
        samples = with_silence(pad_sequence(waveforms, True), lens, self._model.config)
        x, x_lens = self._features(*samples)
        rows = [row[:n].to(self._device) for row, n in zip(x, x_lens.tolist(), strict=True)]
        with arithmetic(self._device):
            return [out.float() for out in self._model.encoder.encode(rows)]

    def _thought(self, text: str, encoder_out: Tensor) -> Label:
        """What it thinks likely at each place of the corrected text."""
        start = torch.tensor(self._model.config.tokens.start)
        wanted, places = tokens_of(text, self._tokenizer)
        inputs = torch.cat([start, wanted[:-1]])[None].to(self._device)
        lens = torch.tensor([len(encoder_out)], device=self._device)
        logits = self._model.decoder(inputs, encoder_out[None], lens)[0, len(start) - 1 :]
        likely = logits.float().log_softmax(dim=-1).topk(LIKELY)
        return Label(text, wanted, places, likely.indices.cpu(), likely.values.cpu())
