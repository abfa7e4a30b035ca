"""Whatever the model raises becomes an error that says what to do."""

import gc
import logging
import weakref

import pytest
import torch

from auricle.engine.failure import as_typed, is_out_of_memory, release
from auricle_types.errors import InferenceError, InvalidOptionError


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    ],
)
def test_memory_that_is_wanting_has_many_words(error: Exception) -> None:
    assert is_out_of_memory(error)
    typed = as_typed(error)
    assert isinstance(typed, InferenceError)
    assert "send shorter pieces" in str(typed)
    assert typed.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("shape"), ValueError("out of memory"), OSError()])
def test_other_failures_keep_their_words(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    assert not is_out_of_memory(error)
    typed = as_typed(error)
    assert isinstance(typed, InferenceError)
    assert str(error) in str(typed)
    assert "shorter pieces" not in str(typed)
    assert typed.__cause__ is error
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_what_torch_says_on_this_machine_is_understood() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)


def test_a_typed_error_stays_as_it_is() -> None:
    error = InvalidOptionError("not like this")
    assert as_typed(error) is error


class Batch:
    """Stands for tensors."""


def fail(batches: list[weakref.ref[Batch]]) -> None:
    """Holds a batch, and so does what it calls, whose error is the cause of its own."""
    batch = Batch()
    batches.append(weakref.ref(batch))
    try:
        fail_deeper(batches)
    except ValueError as error:
        raise RuntimeError("out of memory") from error


def fail_deeper(batches: list[weakref.ref[Batch]]) -> None:
    batch = Batch()
    batches.append(weakref.ref(batch))
    raise ValueError("deep")


def attempt(batches: list[weakref.ref[Batch]]) -> Exception:
    try:
        fail(batches)
    except RuntimeError as error:
        return error
    raise AssertionError("it should have failed")


def test_a_kept_error_keeps_no_batch() -> None:
    batches: list[weakref.ref[Batch]] = []
    error = attempt(batches)
    assert all(batch() for batch in batches)  # by the frames of the tracebacks
    release(error)
    gc.collect()
    assert [batch() for batch in batches] == [None, None]
    assert error.__traceback__ is not None  # which still says where it was


def test_errors_that_cause_each_other_are_no_endless_loop() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    release(first)
    assert first.__cause__ is second
