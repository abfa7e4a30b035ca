"""From `encoder_out` to tokens. Knows nothing of queues, requests and threads."""

from auricle.decoding.continuous import ContinuousDecoder, Decoding, decode_all
from auricle.decoding.ctc import ctc_greedy
from auricle.decoding.ctc_prefix import Posteriors, compile_now
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.dialects import Dialect, PlainDialect, dialect_of
from auricle.decoding.guards import Guard, new_guards
from auricle.decoding.hearing import Hearing
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.roles import Casting, Roles
from auricle.decoding.search import BeamSearch, Search, new_search
from auricle.decoding.utterance import Utterance

__all__ = [
    "BeamSearch",
    "Casting",
    "ContinuousDecoder",
    "CtcScorer",
    "Decoding",
    "Dialect",
    "Guard",
    "Hearing",
    "LmScorer",
    "PlainDialect",
    "Posteriors",
    "Roles",
    "Search",
    "Utterance",
    "compile_now",
    "ctc_greedy",
    "decode_all",
    "dialect_of",
    "new_guards",
    "new_search",
]
