"""One utterance's way through Whisper: its language, then words, warmer where they are doubtful."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from auricle.decoding.filters import LogitFilter, Tokens
from auricle.decoding.prelude import Attempt, Prelude
from auricle.decoding.search import Search
from auricle.decoding.utterance import Utterance
from auricle.decoding.whisper.doubts import (
    Quality,
    Thresholds,
    average_log_prob,
    compression_ratio,
)
from auricle.decoding.whisper.full_beam import Listening
from auricle.decoding.whisper.probes import NoSpeech, SpokenLanguage
from auricle.decoding.whisper.prompts import Prompt
from auricle.decoding.whisper.tails import few
from auricle.hypothesis import Hypothesis
from auricle.tokenizer.whisper import WhisperTokenizer


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with one utterance."""

    width: int  # of the widest search
    language: str | None  # None: find out, if the model knows more than one
    temperatures: tuple[float, ...]  # one after another
    prompt: Callable[[bool, str | None], Prompt]  # with times or without, in that language
    search: Callable[[float, int], Search]  # at a temperature, behind a prompt of that length
    filters: Callable[[bool], tuple[LogitFilter, ...]]  # with times or without
    timestamps: bool  # whether they are asked for
    utterance: Utterance = field(default_factory=Utterance)
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
        self._timestamps = plan.timestamps
        self.wants_full_context = False

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
        doubtful = self._doubtful(found, quality)
        self.wants_full_context = doubtful and self._plan.utterance.short_context
        if doubtful and not self.wants_full_context:
            return self._next()
        if not doubtful and self._too_few(found, quality):
            return self._with_times()
        self._answer = self._said(found, silent=self._plan.thresholds.silent(quality))
        return None

    def answer(self) -> Hypothesis:
        """The last attempt's: nothing, where nobody spoke."""
        return self._answer

    def _next(self) -> Attempt:
        self._temperature = self._temperatures.pop(0)
        return self._attempt()

    def _with_times(self) -> Attempt:
        """The same again, with times: they say where the words end, and what is behind."""
        self._timestamps = True
        return self._attempt()

    def _attempt(self) -> Attempt:
        prompt = self._plan.prompt(self._timestamps, self._language)
        self._no_speech = NoSpeech(prompt.start, self._tokenizer.no_speech)
        search = self._plan.search(self._temperature, len(prompt.tokens))
        filters = self._plan.filters(self._timestamps)
        return Attempt(search, Prelude(prompt.tokens, filters, (self._no_speech,)))

    def _doubtful(self, found: Hypothesis, quality: Quality) -> bool:
        """And there is something else to try."""
        thresholds, short = self._plan.thresholds, self._plan.utterance.short_context
        if found.guards and not thresholds.silent(quality):
            return short or bool(self._temperatures)
        return bool(self._temperatures) and thresholds.doubtful(quality)

    def _too_few(self, found: Hypothesis, quality: Quality) -> bool:
        if self._timestamps or found.guards or self._plan.thresholds.silent(quality):
            return False
        return few(found.tokens, self._plan.utterance.speech_end)

    def _quality(self, found: Hypothesis) -> Quality:
        text = self._tokenizer.decode(found.tokens)
        return Quality(
            average_log_prob(found), compression_ratio(text), self._no_speech.probability
        )

    def _wanted(self, tokens: Tokens) -> Tokens:
        """Without times where nobody asked for them."""
        if self._timestamps == self._plan.timestamps:
            return tokens
        return tuple(token for token in tokens if token < self._tokenizer.timestamp_begin)

    def _limited(self, found: Hypothesis) -> tuple[str, ...]:
        """As a guard's name: that there is more to say, where it is known how far speech goes."""
        goes_on = not found.ended and self._plan.utterance.speech_end is not None
        return ("limit",) if goes_on else ()

    def _said(self, found: Hypothesis, *, silent: bool) -> Hypothesis:
        return replace(
            found,
            tokens=() if silent else self._wanted(found.tokens),
            guards=("no_speech",) if silent else found.guards or self._limited(found),
            temperature=self._temperature,
            language=self._language,
            no_speech=self._no_speech.probability,
        )
