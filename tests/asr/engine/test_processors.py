"""The promise of the same bits in any company, on each class of processors up to this one."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Class:
    """A class of processors: what its libraries are told, and whether this one belongs to it."""

    name: str
    onednn: str
    aten: str
    mkl: str
    here: bool

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ONEDNN_MAX_CPU_ISA": self.onednn,
            "ATEN_CPU_CAPABILITY": self.aten,
            "MKL_ENABLE_INSTRUCTIONS": self.mkl,
        }


CPU = torch.cpu
CLASSES = (
    Class("SSE4.1", "SSE41", "default", "SSE4_2", here=True),
    Class("AVX2", "AVX2", "avx2", "AVX2", here=CPU._is_avx2_supported()),
    Class("AVX-512", "AVX512_CORE", "avx512", "AVX512", here=CPU._is_avx512_supported()),
    Class(
        "AVX512-BF16", "AVX512_CORE_BF16", "avx512", "AVX512", here=CPU._is_avx512_bf16_supported()
    ),
    Class("AMX", "AVX512_CORE_AMX", "avx512", "AVX512", here=CPU._is_amx_tile_supported()),
)


@pytest.mark.parametrize("processor", CLASSES, ids=lambda processor: processor.name)
def test_company_changes_no_bit(processor: Class) -> None:
    if not processor.here:
        pytest.skip(f"this processor has no {processor.name}")
    done = subprocess.run(
        [sys.executable, "-m", "tests.asr.engine.company"],
        check=False,
        cwd=ROOT,
        env=os.environ | processor.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["capability"] == processor.aten.upper()
    assert all(report["same"].values()), report
