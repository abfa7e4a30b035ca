"""The passes over one utterance: the language first, then the text, at rising temperatures."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from auricle.decoding import DecodingPass, PassSetup, Search, UtteranceFacts, begun
from auricle.decoding.logits_processors import LogitsProcessor, Tokens
from auricle.families.whisper.detectors import (
    LanguageDetectionSearch,
    LanguageDetector,
    NoSpeechDetector,
)
from auricle.families.whisper.early_end import has_too_few_tokens
from auricle.families.whisper.fallback import (
    FallbackThresholds,
    Quality,
    average_log_prob,
    compression_ratio,
)
from auricle.families.whisper.prompts import Prompt
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.hypothesis import Hypothesis


@dataclass(frozen=True, slots=True)
class FallbackPlan:
    """How one utterance is decoded."""

    width: int  # of the widest search
    language: str | None  # None: detect it, if the model knows more than one
    temperatures: tuple[float, ...]  # one after another
    prompt: Callable[[bool, str | None], Prompt]  # with timestamps or without, in that language
    search: Callable[[float, int], Search]  # at a temperature, after a prompt of that length
    processors: Callable[[bool], tuple[LogitsProcessor, ...]]  # with timestamps or without
    timestamps: bool  # whether they are asked for
    facts: UtteranceFacts = field(default_factory=UtteranceFacts)
    thresholds: FallbackThresholds = field(default_factory=FallbackThresholds)


class WhisperPasses:
    """The `DecodingPasses` of a Whisper model."""

    def __init__(self, tokenizer: WhisperTokenizer, plan: FallbackPlan) -> None:
        self._tokenizer = tokenizer
        self._plan = plan
        prefix = plan.facts.prefix
        self._language = plan.language or (prefix.language if prefix is not None else None)
        self._temperatures = list(plan.temperatures)
        self._temperature = 0.0
        self._language_detector: LanguageDetector | None = None
        self._no_speech = NoSpeechDetector(0, tokenizer.no_speech)
        self._result = Hypothesis((), 0.0, ended=False)
        self._timestamps = plan.timestamps
        self.wants_full_context = False

    def first(self) -> DecodingPass:
        """Detect the language where it is not given; otherwise decode the text."""
        if self._language is not None or not self._tokenizer.multilingual:
            return self._next()
        self._language_detector = LanguageDetector(self._tokenizer.languages)
        setup = PassSetup((self._tokenizer.start,), observers=(self._language_detector,))
        return DecodingPass(LanguageDetectionSearch(self._plan.width), setup)

    def next_after(self, hypothesis: Hypothesis) -> DecodingPass | None:
        """Decode the text once the language is known, and again while the result is doubtful."""
        if self._language_detector is not None:
            self._language, self._language_detector = self._language_detector.likeliest, None
            return self._next()
        quality = self._quality(hypothesis)
        needs_fallback = self._needs_fallback(hypothesis, quality)
        self.wants_full_context = needs_fallback and self._plan.facts.short_context
        if needs_fallback and not self.wants_full_context:
            return self._next()
        if not needs_fallback and self._has_too_few_tokens(hypothesis, quality):
            return self._with_timestamps()
        is_silence = not self._plan.facts.prefix and self._plan.thresholds.is_silence(quality)
        self._result = self._completed(hypothesis, is_silence=is_silence)
        return None

    def result(self) -> Hypothesis:
        """Return the last pass' hypothesis; without text where nobody spoke."""
        return self._result

    def _next(self) -> DecodingPass:
        self._temperature = self._temperatures.pop(0)
        return self._pass()

    def _with_timestamps(self) -> DecodingPass:
        """Repeat the pass with timestamps: they tell where the text ends, and what is behind."""
        self._timestamps = True
        return self._pass()

    def _pass(self) -> DecodingPass:
        prompt = self._plan.prompt(self._timestamps, self._language)
        self._no_speech = NoSpeechDetector(prompt.start, self._tokenizer.no_speech)
        search = self._plan.search(self._temperature, len(prompt.tokens))
        processors = self._plan.processors(self._timestamps)
        setup = begun(prompt.tokens, self._plan.facts.prefix)
        observed = replace(setup, processors=processors, observers=(self._no_speech,))
        return DecodingPass(search, observed)

    def _needs_fallback(self, hypothesis: Hypothesis, quality: Quality) -> bool:
        """Whether the result is doubtful, and there is something else to try."""
        thresholds, short = self._plan.thresholds, self._plan.facts.short_context
        if hypothesis.guards and not thresholds.is_silence(quality):
            return short or bool(self._temperatures)
        return bool(self._temperatures) and thresholds.needs_fallback(quality)

    def _has_too_few_tokens(self, hypothesis: Hypothesis, quality: Quality) -> bool:
        is_silence = self._plan.thresholds.is_silence(quality)
        if self._timestamps or hypothesis.guards or is_silence:
            return False
        return has_too_few_tokens(hypothesis.tokens, self._plan.facts.speech_end)

    def _quality(self, hypothesis: Hypothesis) -> Quality:
        text = self._tokenizer.decode(hypothesis.tokens)
        return Quality(
            average_log_prob(hypothesis), compression_ratio(text), self._no_speech.probability
        )

    def _requested(self, tokens: Tokens) -> Tokens:
        """Leave out timestamps where nobody asked for them."""
        if self._timestamps == self._plan.timestamps:
            return tokens
        return tuple(token for token in tokens if token < self._tokenizer.timestamp_begin)

    def _limit_guard(self, hypothesis: Hypothesis) -> tuple[str, ...]:
        """Name a guard where the text is cut off, if it is known how far the speech goes."""
        is_cut = not hypothesis.ended and self._plan.facts.speech_end is not None
        return ("limit",) if is_cut else ()

    def _completed(self, hypothesis: Hypothesis, *, is_silence: bool) -> Hypothesis:
        guards = hypothesis.guards or self._limit_guard(hypothesis)
        return replace(
            hypothesis,
            tokens=() if is_silence else self._requested(hypothesis.tokens),
            guards=("no_speech",) if is_silence else guards,
            temperature=self._temperature,
            language=self._language,
            no_speech=self._no_speech.probability,
        )
