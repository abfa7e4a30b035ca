import threading

import pytest

from auricle.errors import InferenceError
from auricle.threads import apart


def test_the_result_comes_from_a_thread_that_has_ended() -> None:
    worker = apart(threading.current_thread)
    assert worker is not threading.current_thread()
    assert not worker.is_alive()


def test_errors_come_out() -> None:
    def fail() -> None:
        raise InferenceError("no")

    with pytest.raises(InferenceError, match="no"):
        apart(fail)
