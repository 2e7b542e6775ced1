"""Signals: the first one interrupts, but no write in hand; later ones do not interrupt again."""

import os
import signal

import pytest

from hopsim.interruption import Interrupted, interruptible, uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_interrupts_and_others_are_told(number, capsys):
    with interruptible():
        with pytest.raises(Interrupted) as interrupted:
            os.kill(os.getpid(), number)
        assert interrupted.value.code == 128 + number
        os.kill(os.getpid(), signal.SIGTERM)
    assert "what has finished is being stored" in capsys.readouterr().err


def write(finished):
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGTERM)
        finished.append("write")


def test_what_is_in_hand_is_finished_first():
    finished = []
    with interruptible():
        with pytest.raises(Interrupted):
            write(finished)
        assert finished == ["write"]
        with uninterrupted():  # nothing more is raised
            finished.append("last write")
    assert finished == ["write", "last write"]


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
