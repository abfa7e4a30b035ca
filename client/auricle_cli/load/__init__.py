"""An open-loop load generator for an Auricle server: requests come when they come.

Arrivals are drawn beforehand (Poisson, seeded) and each latency counts from the arrival's own
time, whether or not the server, or this process, was ready for it: a slow answer cannot hide those
that queue behind it (no "coordinated omission", as G. Tene calls it).
"""

from auricle_cli.load.clips import Clips
from auricle_cli.load.generator import RequestResult, RequestSettings, send_all
from auricle_cli.load.report import LoadReport, Percentiles, measure
from auricle_cli.load.sweep import Saturation, saturation
from auricle_cli.load.traffic import Arrival, Traffic

__all__ = [
    "Arrival",
    "Clips",
    "LoadReport",
    "Percentiles",
    "RequestResult",
    "RequestSettings",
    "Saturation",
    "Traffic",
    "measure",
    "saturation",
    "send_all",
]
