"""What a model looks at while it recognises one audio: tensors to draw, or to study.

`picture.py` draws them. It alone needs matplotlib, so it is not imported here.
"""

from auricle.decoding.alignment import Span
from auricle.inspection.ctc import CtcOutput
from auricle.inspection.observation import Observation, observe

__all__ = ["CtcOutput", "Observation", "Span", "observe"]
