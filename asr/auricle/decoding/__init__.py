"""From `encoder_out` to tokens. The room knows no queue, request or thread, and no model family."""

from auricle.decoding.continuous import ContinuousDecoder, decode_all
from auricle.decoding.ctc import ctc_greedy
from auricle.decoding.ctc_prefix import Posteriors, compile_now
from auricle.decoding.ctc_scorer import CtcScorer
from auricle.decoding.decoding_state import Decoding
from auricle.decoding.encoded_utterance import EncodedUtterance
from auricle.decoding.guards import Guard, new_guards
from auricle.decoding.lm_scorer import LmScorer
from auricle.decoding.passes import DecodingPass, DecodingPasses, PassSetup, begun
from auricle.decoding.plain_policy import PlainPolicy
from auricle.decoding.policy import AudioWindows, DecodingPolicy, TimedText
from auricle.decoding.scorers import ScorerFactory, Scorers
from auricle.decoding.search import BeamSearch, Sampling, Search, new_search
from auricle.decoding.utterance_facts import UtteranceFacts

__all__ = [
    "AudioWindows",
    "BeamSearch",
    "ContinuousDecoder",
    "CtcScorer",
    "Decoding",
    "DecodingPass",
    "DecodingPasses",
    "DecodingPolicy",
    "EncodedUtterance",
    "Guard",
    "LmScorer",
    "PassSetup",
    "PlainPolicy",
    "Posteriors",
    "Sampling",
    "ScorerFactory",
    "Scorers",
    "Search",
    "TimedText",
    "UtteranceFacts",
    "begun",
    "compile_now",
    "ctc_greedy",
    "decode_all",
    "new_guards",
    "new_search",
]
