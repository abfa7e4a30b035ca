"""The decoding policy of Whisper models."""

import math
from functools import partial

from auricle.decoding import BeamSearch, EncodedUtterance, Guard, Sampling, Search, UtteranceFacts
from auricle.decoding.encoded_utterance import Heads
from auricle.decoding.logits_processors import LogitsProcessor, Tokens
from auricle.decoding.policy import TimedText
from auricle.families.whisper.beam_search import FixedWidthBeamSearch
from auricle.families.whisper.early_end import NoEarlyEnd
from auricle.families.whisper.language_codes import language_code
from auricle.families.whisper.logits_processors import SuppressBlank, TimestampRules
from auricle.families.whisper.passes import FallbackPlan, WhisperPasses
from auricle.families.whisper.prompts import Prompt, check_prompt, new_prompt, prompt_tokens
from auricle.families.whisper.timed_repetition import TimedRepetition
from auricle.families.whisper.timed_text import texts_of_piece
from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle.families.whisper.windows import TimestampWindows
from auricle.families.whisper.word_times import BESIDE_TEXT, WordTimer, compile_now
from auricle.hypothesis import Hypothesis
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Word

CONTEXT = 448  # tokens that the decoder of every published model is made for
LATEST_FIRST = 1.0  # seconds: a transcript that begins later has missed something
STEP = 0.2  # from one temperature to the next
HIGHEST = 1.0


class WhisperPolicy:
    """The `DecodingPolicy` of one Whisper model."""

    needs_speech_end = True
    has_word_times = True

    def __init__(
        self, tokenizer: WhisperTokenizer, context: int = CONTEXT, timer: WordTimer | None = None
    ) -> None:
        """`context` is the number of tokens that the decoder is made for, prompt included."""
        self._tokenizer = tokenizer
        self._context = context
        self._timer = timer or WordTimer(tokenizer)

    def check(self, options: DecodingOptions) -> None:
        """Raise InvalidOptionError: the model lacks the language, the task or the prompt's room."""
        if options.word_timestamps:
            compile_now()  # here one caller waits for it, later everybody would
        check_prompt(self._tokenizer, options.prompt, self._context)
        if self._tokenizer.multilingual:
            self._language(options)
            return
        if options.task == "translate":
            raise InvalidOptionError("task must be transcribe: this model knows English alone")
        if options.language is not None:
            language_code(options.language, ("en",))

    def passes(self, options: DecodingOptions, facts: UtteranceFacts) -> WhisperPasses:
        """Plan the passes over one utterance; `check` has accepted the options."""
        previous = prompt_tokens(self._tokenizer, options.prompt)[-(self._context // 2 - 1) :]
        plan = FallbackPlan(
            width=options.beam_size,
            language=self._language(options) if self._tokenizer.multilingual else None,
            temperatures=temperatures(options),
            prompt=partial(self._prompt, options, previous),
            search=partial(self._search, options, facts),
            processors=partial(self._processors, facts),
            timestamps=options.timestamps is not False,
            facts=facts,
        )
        return WhisperPasses(self._tokenizer, plan)

    def words(
        self, hypothesis: Hypothesis, options: DecodingOptions, encoded: EncodedUtterance
    ) -> tuple[Word, ...]:
        """Find the words' times by cross-attention."""
        return self._timer.words(hypothesis, options.task, encoded)

    def timed_texts(self, hypothesis: Hypothesis, seconds: float) -> list[TimedText]:
        """Divide the text of a piece of so many seconds at its timestamps."""
        return texts_of_piece(self._tokenizer, hypothesis, seconds)

    def windows(self, options: DecodingOptions, frames: int, window: int) -> TimestampWindows:
        """Make windows of `window` feature frames over `frames`, with the prompt of `options`.

        Raises InvalidOptionError: timestamps are switched off.
        """
        if options.timestamps is False:
            raise InvalidOptionError("windows move by the times that a Whisper model says")
        prompt = prompt_tokens(self._tokenizer, options.prompt)
        return TimestampWindows(self._tokenizer, frames, window, prompt, self._context)

    def alignment_heads(self, encoded: EncodedUtterance) -> Heads:
        """Return the heads by which words get their times."""
        return self._timer.heads_of(encoded)

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
        self, options: DecodingOptions, facts: UtteranceFacts, temperature: float, prompt: int
    ) -> Search:
        limit = self._limit(options, facts, prompt)
        guards, end = self._guards(options, facts), self._tokenizer.end
        if options.beam_size > 1 and not temperature:
            width, penalty = options.beam_size, options.length_penalty
            return FixedWidthBeamSearch(
                width, limit, penalty, end=end, guards=guards, prefix=facts.prefix
            )
        seed = options.seed if options.temperature else options.seed or 0  # the same words again
        sampling = Sampling(temperature, seed)
        return BeamSearch(1, limit, end=end, guards=guards, sampling=sampling, prefix=facts.prefix)

    def _limit(self, options: DecodingOptions, facts: UtteranceFacts, prompt: int) -> int:
        """Limit the text to half of the context, and to what the prompt leaves.

        Where the end of the speech is known, the text may have all that the prompt leaves.
        """
        half, room = self._context // 2, self._context - prompt + 1
        if options.word_timestamps:
            room = min(room, self._context - BESIDE_TEXT)
        return min(options.max_tokens or (half if facts.speech_end is None else room), room)

    def _guards(self, options: DecodingOptions, facts: UtteranceFacts) -> tuple[Guard, ...]:
        seconds = facts.speech_end or facts.seconds
        guarded = options.guards and seconds
        return (TimedRepetition.of(self._tokenizer, seconds),) if guarded else ()

    def _processors(self, facts: UtteranceFacts, timestamps: bool) -> tuple[LogitsProcessor, ...]:
        tokenizer = self._tokenizer
        blank = SuppressBlank(tokenizer.blanks)
        if not timestamps:
            return (blank,)
        latest = tokenizer.timestamp_begin + round(LATEST_FIRST / TIMESTAMP_SECONDS)
        rules = TimestampRules(
            tokenizer.no_timestamps, tokenizer.timestamp_begin, tokenizer.end, latest
        )
        if facts.speech_end is None:
            return blank, rules
        return blank, NoEarlyEnd.of(tokenizer, facts.speech_end), rules


def temperatures(options: DecodingOptions) -> tuple[float, ...]:
    """List the temperature that is asked for, and with fallback the higher ones after it."""
    first = options.temperature
    if not options.fallback:
        return (first,)
    steps = math.floor((HIGHEST - first) / STEP + 1e-6)
    return (first, *(round(first + STEP * step, 6) for step in range(1, steps + 1)))
