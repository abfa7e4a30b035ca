"""What may be asked of a Whisper model, and how it is done."""

import math
from functools import partial

from auricle.decoding.filters import LogitFilter, SuppressBlank, TimestampRules, Tokens
from auricle.decoding.guards import Guard
from auricle.decoding.hearing import Hearing
from auricle.decoding.search import BeamSearch, Search
from auricle.decoding.utterance import Utterance
from auricle.decoding.whisper.course import Plan, WhisperCourse
from auricle.decoding.whisper.full_beam import FullBeam
from auricle.decoding.whisper.languages import language_code
from auricle.decoding.whisper.loops import SpokenRepetition
from auricle.decoding.whisper.prompts import Prompt, check_prompt, new_prompt, prompt_tokens
from auricle.decoding.whisper.stretches import Heard, heard_in_piece
from auricle.decoding.whisper.tails import SpeechGoesOn
from auricle.decoding.whisper.timing import MARKS, WordTimer, compile_now
from auricle.decoding.whisper.windows import Windows
from auricle.hypothesis import Hypothesis
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Word

CONTEXT = 448  # tokens that the decoder of every published model is made for
LATEST_FIRST = 1.0  # seconds: a transcript that begins later has missed something
STEP = 0.2  # from one temperature to the next
HIGHEST = 1.0


class WhisperDialect:
    """A `Dialect`."""

    def __init__(
        self, tokenizer: WhisperTokenizer, context: int = CONTEXT, timer: WordTimer | None = None
    ) -> None:
        """`context`: tokens that the decoder is made for, its prompt included."""
        self._tokenizer = tokenizer
        self.context = context
        self._timer = timer or WordTimer(tokenizer)

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError.

        The language is unknown, English alone is known, or the prompt is none that can be told.
        """
        if options.word_timestamps:
            compile_now()  # here a caller waits for it, later everybody would
        check_prompt(self._tokenizer, options.prompt, self.context)
        if self._tokenizer.multilingual:
            self._language(options)
            return
        if options.task == "translate":
            raise InvalidOptionError("task must be transcribe: this model knows English alone")
        if options.language is not None:
            language_code(options.language, ("en",))

    def course(self, options: DecodingOptions, utterance: Utterance) -> WhisperCourse:
        """The attempts at one utterance, which `check` has passed."""
        previous = prompt_tokens(self._tokenizer, options.prompt)[-(self.context // 2 - 1) :]
        plan = Plan(
            width=options.beam_size,
            language=self._language(options) if self._tokenizer.multilingual else None,
            temperatures=temperatures(options),
            prompt=partial(self._prompt, options, previous),
            search=partial(self._search, options, utterance),
            filters=partial(self._filters, utterance),
            timestamps=options.timestamps is not False,
            utterance=utterance,
        )
        return WhisperCourse(self._tokenizer, plan)

    def words(
        self, found: Hypothesis, options: DecodingOptions, hearing: Hearing
    ) -> tuple[Word, ...]:
        """By what the decoder looks at."""
        return self._timer.words(found, options.task, hearing)

    def heard(self, found: Hypothesis, seconds: float) -> list[Heard]:
        """What a piece of so many seconds says, by the times among its words."""
        return heard_in_piece(self._tokenizer, found, seconds)

    def windows(self, options: DecodingOptions, frames: int, window: int) -> Windows:
        """Windows of `window` feature frames over `frames`; the prompt stands before the first."""
        first = prompt_tokens(self._tokenizer, options.prompt)
        return Windows(self._tokenizer, frames, window, first)

    def _language(self, options: DecodingOptions) -> str | None:
        if options.language is None:
            return None
        return language_code(options.language, self._tokenizer.languages)

    def _prompt(
        self, options: DecodingOptions, previous: Tokens, timestamps: bool, language: str | None
    ) -> Prompt:
        return new_prompt(
            self._tokenizer,
            language=language,
            task=options.task,
            previous=previous,
            timestamps=timestamps,
        )

    def _search(
        self, options: DecodingOptions, utterance: Utterance, temperature: float, prompt: int
    ) -> Search:
        limit = self._limit(options, utterance, prompt)
        guards, end = self._guards(options, utterance), self._tokenizer.end
        if options.beam_size > 1 and not temperature:
            width, penalty = options.beam_size, options.length_penalty
            return FullBeam(width, limit, penalty, guards=guards, end=end)
        seed = options.seed if options.temperature else options.seed or 0  # the same words again
        return BeamSearch(1, limit, temperature=temperature, seed=seed, guards=guards, end=end)

    def _limit(self, options: DecodingOptions, utterance: Utterance, prompt: int) -> int:
        """By default half of the context is for the answer; never more than the prompt leaves.

        All of that where it is known how far the speech goes.
        """
        half, room = self.context // 2, self.context - prompt + 1
        if options.word_timestamps:
            room = min(room, self.context - MARKS)
        return min(options.max_tokens or (half if utterance.speech_end is None else room), room)

    def _guards(self, options: DecodingOptions, utterance: Utterance) -> tuple[Guard, ...]:
        seconds = utterance.speech_end or utterance.seconds
        guarded = options.guards and seconds
        return (SpokenRepetition.of(self._tokenizer, seconds),) if guarded else ()

    def _filters(self, utterance: Utterance, timestamps: bool) -> tuple[LogitFilter, ...]:
        tokenizer = self._tokenizer
        blank = SuppressBlank(tokenizer.blanks)
        if not timestamps:
            return (blank,)
        latest = tokenizer.timestamp_begin + round(LATEST_FIRST / TIMESTAMP_SECONDS)
        rules = TimestampRules(
            tokenizer.no_timestamps, tokenizer.timestamp_begin, tokenizer.end, latest
        )
        if utterance.speech_end is None:
            return blank, rules
        return blank, SpeechGoesOn.of(tokenizer, utterance.speech_end), rules


def temperatures(options: DecodingOptions) -> tuple[float, ...]:
    """The one asked for, and higher ones in case that its words are doubtful."""
    first = options.temperature
    if not options.fallback:
        return (first,)
    steps = math.floor((HIGHEST - first) / STEP + 1e-6)
    return (first, *(round(first + STEP * step, 6) for step in range(1, steps + 1)))
