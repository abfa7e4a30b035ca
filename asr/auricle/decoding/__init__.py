"""From `encoder_out` to tokens. Knows nothing of queues and batches' making."""

from auricle.decoding.beam import beam_search
from auricle.decoding.ctc import ctc_greedy
from auricle.decoding.greedy import greedy_search
from auricle.decoding.hypothesis import Hypothesis

__all__ = ["Hypothesis", "beam_search", "ctc_greedy", "greedy_search"]
