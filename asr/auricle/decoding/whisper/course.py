"""One utterance's way through Whisper: its language, then words, warmer where they are doubtful."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from auricle.decoding.filters import LogitFilter
from auricle.decoding.prelude import Attempt, Prelude
from auricle.decoding.search import Search
from auricle.decoding.whisper.doubts import (
    Quality,
    Thresholds,
    average_log_prob,
    compression_ratio,
)
from auricle.decoding.whisper.probes import NoSpeech, SpokenLanguage
from auricle.decoding.whisper.prompts import Prompt
from auricle.decoding.whisper.searches import Listening
from auricle.hypothesis import Hypothesis
from auricle.tokenizer.whisper import WhisperTokenizer


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with one utterance."""

    width: int  # of the widest search
    language: str | None  # None: find out, if the model knows more than one
    temperatures: tuple[float, ...]  # one after another
    prompt: Callable[[str | None], Prompt]  # of an utterance in that language
    search: Callable[[float, int], Search]  # at a temperature, behind a prompt of that length
    filters: tuple[LogitFilter, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)


class WhisperCourse:
    """A `Course`."""

    def __init__(self, tokenizer: WhisperTokenizer, plan: Plan) -> None:
        self._tokenizer = tokenizer
        self._plan = plan
        self._language = plan.language
        self._temperatures = list(plan.temperatures)
        self._temperature = 0.0
        self._listening: SpokenLanguage | None = None
        self._no_speech = NoSpeech(0, tokenizer.no_speech)
        self._answer = Hypothesis((), 0.0, ended=False)

    def begin(self) -> Attempt:
        """Find out the language where it is not given; else the first words."""
        if self._language is not None or not self._tokenizer.multilingual:
            return self._next()
        self._listening = SpokenLanguage(self._tokenizer.languages)
        prelude = Prelude((self._tokenizer.start,), probes=(self._listening,))
        return Attempt(Listening(self._plan.width), prelude)

    def go_on(self, found: Hypothesis) -> Attempt | None:
        """The first words once the language is known; then others only while they are doubtful."""
        if self._listening is not None:
            self._language, self._listening = self._listening.likeliest, None
            return self._next()
        quality = self._quality(found)
        if self._temperatures and self._plan.thresholds.doubtful(quality):
            return self._next()
        self._answer = self._said(found, silent=self._plan.thresholds.silent(quality))
        return None

    def answer(self) -> Hypothesis:
        """The last attempt's: nothing, where nobody spoke."""
        return self._answer

    def _next(self) -> Attempt:
        self._temperature = self._temperatures.pop(0)
        prompt = self._plan.prompt(self._language)
        self._no_speech = NoSpeech(prompt.start, self._tokenizer.no_speech)
        search = self._plan.search(self._temperature, len(prompt.tokens))
        return Attempt(search, Prelude(prompt.tokens, self._plan.filters, (self._no_speech,)))

    def _quality(self, found: Hypothesis) -> Quality:
        text = self._tokenizer.decode(found.tokens)
        return Quality(
            average_log_prob(found), compression_ratio(text), self._no_speech.probability
        )

    def _said(self, found: Hypothesis, *, silent: bool) -> Hypothesis:
        return replace(
            found,
            tokens=() if silent else found.tokens,
            guards=("no_speech",) if silent else found.guards,
            temperature=self._temperature,
            language=self._language,
            no_speech=self._no_speech.probability,
        )
