"""Who decides together about one utterance's tokens, as its request asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from auricle.config import ModelConfig
from auricle.decoding.continuous import Decoding
from auricle.decoding.ctc_prefix import Posteriors
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.dialects import Dialect, PlainDialect
from auricle.decoding.guards import Guard, new_guards
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.prelude import Course
from auricle.decoding.search import BeamSearch, new_search
from auricle.decoding.utterance import Utterance
from auricle.hypothesis import Hypothesis
from auricle.language_model import NGramModel
from auricle.tokenizer import Tokenizer
from auricle_types.errors import InvalidOptionError
from auricle_types.options import LM_WEIGHT, DecodingOptions


@dataclass(frozen=True, slots=True)
class Roles:
    """Parts of one utterance."""

    search: BeamSearch
    ctc: CtcScorer | None = None
    lm: LmScorer | None = None


@dataclass(frozen=True, slots=True)
class Casting:
    """Gives roles; what they need to know of the model."""

    tokens_per_second: float  # the most that is ever said
    language_model: NGramModel | None = None
    has_ctc: bool = True  # a head for it
    end: int = Tokenizer.end_id
    dialect: Dialect = field(default_factory=PlainDialect)

    @classmethod
    def of(
        cls,
        config: ModelConfig,
        language_model: NGramModel | None = None,
        dialect: Dialect | None = None,
    ) -> Self:
        """For a model; spoken to plainly unless `dialect` says otherwise."""
        return cls(
            config.tokens_per_second,
            language_model,
            has_ctc=config.transformer.ctc,
            end=config.tokens.end,
            dialect=dialect or PlainDialect(config.language),
        )

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError: the model cannot do what is asked for."""
        self.dialect.check(options)
        if options.ctc_weight and not self.has_ctc:
            raise InvalidOptionError(
                f"ctc_weight {options.ctc_weight:g} needs a CTC head, and this model has none: "
                "leave ctc_weight out, or choose a model of Auricle's own"
            )
        if options.lm_weight and self.language_model is None:
            raise InvalidOptionError(
                f"lm_weight {options.lm_weight:g} needs a language model, and this model "
                "has none: give one (--lm), or leave lm_weight out"
            )

    def course(self, options: DecodingOptions, utterance: Utterance) -> Course | None:
        """The attempts at an utterance; None: only one, without a prompt, by its `roles`.

        So it is where a VAD hears no word and guards may say so: nothing is tried.
        """
        if options.guards and utterance.speech is False:
            return None
        return self.dialect.course(options, utterance)

    def answer(self, decoding: Decoding, options: DecodingOptions) -> Hypothesis:
        """What is said in the end, with its words' times where they are asked for."""
        found = decoding.answer
        if decoding.hearing is None:
            return found
        return replace(found, words=self.dialect.words(found, options, decoding.hearing))

    def roles(
        self,
        options: DecodingOptions,
        most: int,
        seconds: float,
        heard: Posteriors | None,
        *,
        speech: bool | None = None,
    ) -> Roles:
        """Those of an utterance.

        Args:
            options: what is asked for.
            most: tokens that it may have.
            seconds: how long it is.
            heard: what CTC hears; without it, neither CTC nor guards have a part, unless the model
                has no such head, and the guards do without.
            speech: whether a VAD hears a word; None: it was not asked, and CTC must say.
        """
        lm = self._lm(options)
        if heard is None and self.has_ctc:
            return Roles(new_search(options, most, end=self.end), lm=lm)
        ctc = CtcScorer(heard, options.ctc_share) if heard and options.ctc_share else None
        silent = (heard is not None and heard.silent) if speech is None else not speech
        guards = self._guards(seconds, silent, heard) if options.guards else ()
        return Roles(new_search(options, most, guards, end=self.end), ctc, lm)

    def _guards(self, seconds: float, silent: bool, heard: Posteriors | None) -> Sequence[Guard]:
        possible = None if heard is None else heard.possible
        return new_guards(seconds, self.tokens_per_second, silent, possible)

    def _lm(self, options: DecodingOptions) -> LmScorer | None:
        """By default beams ask it. A greedy search cannot take back what it then says too soon."""
        by_default = LM_WEIGHT if options.beam_size > 1 else 0.0
        weight = by_default if options.lm_weight is None else options.lm_weight
        if self.language_model is None or not weight:
            return None
        return LmScorer(self.language_model, weight, options.token_reward)
