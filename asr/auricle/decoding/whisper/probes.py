"""What Whisper says of an utterance right after START."""

import torch
from torch import Tensor

from auricle_types.errors import InferenceError


class NoSpeech:
    """How likely it is that nobody speaks."""

    def __init__(self, place: int, token: int) -> None:
        """`place` of START in the prompt; the `token` that means it."""
        self.place = place
        self.probability = float("nan")
        self._token = token

    def see(self, logits: Tensor) -> None:
        """The token's share of all `(V,)`."""
        self.probability = float(logits.softmax(dim=-1)[self._token])


class SpokenLanguage:
    """Which language it is."""

    def __init__(self, languages: dict[str, int]) -> None:
        """The token of each, by its code. START is all that the decoder is told."""
        self.place = 0
        self.probabilities: dict[str, float] = {}
        self._languages = languages

    def see(self, logits: Tensor) -> None:
        """The languages' tokens among all `(V,)`."""
        tokens = torch.tensor(list(self._languages.values()), device=logits.device)
        shares = logits[tokens].softmax(dim=-1).tolist()
        self.probabilities = dict(zip(self._languages, shares, strict=True))

    @property
    def likeliest(self) -> str:
        """Its code. Raises InferenceError where probabilities are not finite."""
        code = max(self.probabilities, key=self.probabilities.__getitem__)
        if not self.probabilities[code] >= 0:
            raise InferenceError("the probabilities of the languages are not finite")
        return code
