"""Messages go out in order, and nobody waits for who reads them."""

from multiprocessing import Pipe

import pytest

from auricle.engine.processes.outbox import Outbox

MANY = 50
LARGE = b"x" * 1_000_000  # more than a pipe holds


def test_nobody_waits_for_a_reader_and_the_order_is_kept() -> None:
    ours, theirs = Pipe()
    outbox = Outbox(ours)
    for number in range(MANY):
        outbox.put((number, LARGE))
    outbox.close()
    assert [theirs.recv()[0] for _ in range(MANY)] == list(range(MANY))


def test_a_message_is_what_it_was_when_it_was_put() -> None:
    ours, theirs = Pipe()
    outbox, message = Outbox(ours), [1]
    outbox.put(LARGE)  # nobody reads it yet
    outbox.put(message)
    message.append(2)
    assert theirs.recv() == LARGE
    assert theirs.recv() == [1]
    outbox.close()


def test_what_cannot_be_sent_is_for_the_sender_to_know() -> None:
    ours, theirs = Pipe()
    outbox = Outbox(ours)
    with pytest.raises(AttributeError):
        outbox.put(lambda: None)
    outbox.put("next")
    assert theirs.recv() == "next"
    outbox.close()


def test_where_nobody_is_there_any_more_it_goes_nowhere() -> None:
    ours, theirs = Pipe()
    outbox = Outbox(ours)
    theirs.close()
    for _ in range(MANY):
        outbox.put(LARGE)
    outbox.close()
