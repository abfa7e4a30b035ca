"""From `encoder_out` to tokens. Knows nothing of queues, requests and threads."""

from auricle.decoding.continuous import ContinuousDecoder, Decoding, decode_all
from auricle.decoding.ctc import ctc_greedy
from auricle.decoding.search import BeamSearch, Search, new_search

__all__ = [
    "BeamSearch",
    "ContinuousDecoder",
    "Decoding",
    "Search",
    "ctc_greedy",
    "decode_all",
    "new_search",
]
