"""The engine: requests in, hypotheses out. One thread owns the device.

`scheduler` decides who runs when and knows no tensors; `runner` knows the tensors and no queue;
`engine` joins them: schedule, encode, decode a step, finish; again.
"""

from auricle.engine.engine import Engine
from auricle.engine.request import Outcome, Request
from auricle.engine.runner import ModelRunner, Runner

__all__ = ["Engine", "ModelRunner", "Outcome", "Request", "Runner"]
