"""The engine: requests in, hypotheses out. One thread owns the device.

`scheduler` decides who runs when and knows no tensors; `runner` knows the tensors and no queue;
`engine` joins them: schedule, encode, decode a step, finish; again. `execution` measures what that
takes and finds who is to blame when it fails, `prediction` learns from it, `statistics` counts, and
`answers` completes the futures, off the device's thread.
"""

from auricle.engine.engine import Engine
from auricle.engine.request import Cost, Outcome, Request, Room
from auricle.engine.runner import ModelRunner
from auricle.engine.serving import Runner
from auricle.engine.statistics import Statistics

__all__ = [
    "Cost",
    "Engine",
    "ModelRunner",
    "Outcome",
    "Request",
    "Room",
    "Runner",
    "Statistics",
]
