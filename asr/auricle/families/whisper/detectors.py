"""What Whisper predicts right after START: the language, and whether anybody speaks."""

from collections.abc import Sequence

import torch
from torch import Tensor

from auricle.decoding import Sampling
from auricle.decoding.search import Candidate
from auricle.hypothesis import Hypothesis
from auricle_types.errors import InferenceError


class NoSpeechDetector:
    """A `LogitsObserver` of the probability that nobody speaks."""

    def __init__(self, position: int, token: int) -> None:
        """`position` is that of START in the prompt; `token` means that nobody speaks."""
        self.position = position
        self.probability = float("nan")
        self._token = token

    def observe(self, logits: Tensor) -> None:
        """Keep the token's share of all `(V,)`."""
        self.probability = float(logits.softmax(dim=-1)[self._token])


class LanguageDetector:
    """A `LogitsObserver` of the spoken language. The prompt is START alone."""

    def __init__(self, languages: dict[str, int]) -> None:
        """`languages` has the token of each, by its code."""
        self.position = 0
        self.probabilities: dict[str, float] = {}
        self._languages = languages

    def observe(self, logits: Tensor) -> None:
        """Keep the shares of the languages' tokens, among all `(V,)`."""
        tokens = torch.tensor(list(self._languages.values()), device=logits.device)
        shares = logits[tokens].softmax(dim=-1).tolist()
        self.probabilities = dict(zip(self._languages, shares, strict=True))

    @property
    def likeliest(self) -> str:
        """The code of the likeliest language.

        Raises InferenceError where probabilities are not finite.
        """
        code = max(self.probabilities, key=self.probabilities.__getitem__)
        if not self.probabilities[code] >= 0:
            raise InferenceError("the probabilities of the languages are not finite")
        return code


class LanguageDetectionSearch:
    """A `Search` that chooses no token: it takes one step, for the sake of the observers."""

    sampling = Sampling()

    def __init__(self, width: int = 1) -> None:
        """`width` is that of the searches to come."""
        self.width = width
        self.live = [Hypothesis((), 0.0, ended=False)]

    @property
    def done(self) -> bool:
        """Whether the step was taken."""
        return not self.live

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Ignore the candidates and finish."""
        self.live = []
        return []

    def best(self) -> Hypothesis:
        """Return a hypothesis without tokens."""
        return Hypothesis((), 0.0, ended=False)

    def ranked(self) -> list[Hypothesis]:
        """Return the only one."""
        return [self.best()]
