"""The scorers of an utterance's hypotheses: the search, CTC and a language model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from auricle.config import ModelConfig
from auricle.decoding.ctc_prefix import Posteriors
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.decoding_state import Decoding
from auricle.decoding.guards import Guard, new_guards
from auricle.decoding.hotword_tokens import HotwordTries
from auricle.decoding.hotword_trie import HotwordScorer
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.passes import DecodingPasses
from auricle.decoding.plain_policy import PlainPolicy
from auricle.decoding.policy import DecodingPolicy
from auricle.decoding.search import BeamSearch, new_search
from auricle.decoding.utterance_facts import UtteranceFacts
from auricle.hypothesis import Hypothesis
from auricle.language_model import NGramModel
from auricle.tokenizer import Vocabulary
from auricle_types.errors import InvalidOptionError
from auricle_types.options import LM_WEIGHT, DecodingOptions


@dataclass(frozen=True, slots=True)
class Scorers:
    """A search, and who else scores its hypotheses."""

    search: BeamSearch
    ctc: CtcScorer | None = None
    lm: LmScorer | None = None


@dataclass(frozen=True, slots=True)
class ScorerFactory:
    """Makes the scorers of each utterance, by what its model has and its request asks for."""

    tokens_per_second: float  # the most that anybody says
    end: int  # the token that ends a text
    has_ctc: bool  # whether the model has a CTC head
    policy: DecodingPolicy
    language_model: NGramModel | None = None
    hotword_tries: HotwordTries | None = None  # None: no hotwords

    @classmethod
    def of(
        cls,
        config: ModelConfig,
        policy: DecodingPolicy | None = None,
        language_model: NGramModel | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> Self:
        """Make the factory of a model; without a `policy` it takes a `PlainPolicy`.

        Hotwords need the `vocabulary`.
        """
        return cls(
            config.tokens_per_second,
            config.tokens.end,
            config.transformer.ctc,
            policy or PlainPolicy(config.language),
            language_model,
            HotwordTries(vocabulary, config.transformer.vocab_size) if vocabulary else None,
        )

    def check(self, options: DecodingOptions) -> None:
        """Raise InvalidOptionError: the model cannot do what is asked for."""
        self.policy.check(options)
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
        self.hotwords(options)

    def hotwords(self, options: DecodingOptions, given: Sequence[int] = ()) -> HotwordScorer | None:
        """Return the scorer of the hotwords of a request, if it has any, behind `given` tokens.

        Raises InvalidOptionError: the model cannot write one of them.
        """
        if not options.hotwords:
            return None
        if self.hotword_tries is None:
            raise InvalidOptionError("hotwords need a model with a vocabulary: leave them out")
        return HotwordScorer(self.hotword_tries.of(options.phrases), given)

    def passes(self, options: DecodingOptions, facts: UtteranceFacts) -> DecodingPasses | None:
        """Return the passes over an utterance; None: a single one, by its `scorers`.

        It is a single one, too, where the VAD finds no word and guards are on: nothing is tried.
        """
        if options.guards and facts.speech is False:
            return None
        return self.policy.passes(options, facts)

    def result(self, decoding: Decoding, options: DecodingOptions) -> Hypothesis:
        """Return the result of a decoding, with its words' times where they are asked for."""
        found = decoding.result
        if options.alternatives > 1 and found.tokens:
            found = replace(found, others=tuple(decoding.search.ranked()[1:]))
        if decoding.encoded is None:
            return found
        return replace(found, words=self.policy.words(found, options, decoding.encoded))

    def scorers(
        self,
        options: DecodingOptions,
        most: int,
        seconds: float,
        posteriors: Posteriors | None,
        *,
        speech: bool | None = None,
        prefix: Hypothesis | None = None,
    ) -> Scorers:
        """Make the scorers of an utterance.

        Args:
            options: the options of its request.
            most: how many tokens it may have.
            seconds: how long it is.
            posteriors: of the CTC head. Without them there are neither a CTC scorer nor guards,
                unless the model has no such head: then guards do without.
            speech: whether the VAD finds a word; None: it was not asked, and CTC decides.
            prefix: with whose tokens the text begins.
        """
        lm = self._lm(options)
        if posteriors is None and self.has_ctc:
            return _after(
                prefix, Scorers(new_search(options, most, end=self.end, prefix=prefix), lm=lm)
            )
        share = options.ctc_share
        ctc = CtcScorer(posteriors, share) if posteriors is not None and share else None
        silent = (posteriors is not None and posteriors.silent) if speech is None else not speech
        guards = self._guards(seconds, silent, posteriors) if options.guards else ()
        search = new_search(options, most, guards, end=self.end, prefix=prefix)
        return _after(prefix, Scorers(search, ctc, lm))

    def _guards(
        self, seconds: float, silent: bool, posteriors: Posteriors | None
    ) -> Sequence[Guard]:
        possible = None if posteriors is None else posteriors.possible
        return new_guards(seconds, self.tokens_per_second, silent, possible)

    def _lm(self, options: DecodingOptions) -> LmScorer | None:
        """Only beams have one by default: greedy search cannot take back a token it prefers."""
        by_default = LM_WEIGHT if options.beam_size > 1 else 0.0
        weight = by_default if options.lm_weight is None else options.lm_weight
        if self.language_model is None or not weight:
            return None
        return LmScorer(self.language_model, weight, options.token_reward, end=self.end)


def _after(prefix: Hypothesis | None, scorers: Scorers) -> Scorers:
    """Let the scorers read the tokens with which the text begins."""
    for token in prefix.tokens if prefix is not None else ():
        for scorer in (scorers.ctc, scorers.lm):
            if scorer is not None:
                scorer.advance([0], [token])
    return scorers
