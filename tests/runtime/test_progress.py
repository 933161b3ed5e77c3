"""What is shown of a run's progress."""

import re
import sys

import pytest

from wgangp.runtime import progress
from wgangp.runtime.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """The seconds that have passed; a list of one number."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


def steps(clock, label, count, done=0):
    with Progress(label, 100, done) as counted:
        for _ in range(count):
            clock[0] += 10
            counted.update()
    return counted


def test_without_a_terminal_a_line_comes_every_half_minute_with_rate_and_time_left(clock, capsys):
    assert steps(clock, "training", 9, done=40).done == 49
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2  # after 40 and 80 seconds
    assert all(line.startswith("training: ") for line in lines)
    assert "44/100" in lines[0] and "48/100" in lines[1]
    assert re.search(r"01:20<08:40, +10.00s/it", lines[1])  # 8 steps of ten seconds, 52 left


def test_without_a_label_nothing_is_shown(clock, capsys):
    assert steps(clock, None, 9).done == 9
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar_that_is_taken_away(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    steps(clock, "training", 9)
    shown = capsys.readouterr().err
    assert "\r" in shown and "training" in shown and not shown.endswith("\n")


def test_a_listener_is_told_about_once_a_second_in_place_of_the_terminal(clock, capsys, monkeypatch):
    told = []
    monkeypatch.setattr(Progress, "listener", told.append)
    counted = steps(clock, "training", 3, done=40)
    assert told[-1] == {"label": "training", "total": 100, "initial": 40, "done": counted.done, "seconds": 30.0}
    assert len(told) == 3 and capsys.readouterr().err == ""
    steps(clock, None, 3)
    assert len(told) == 3
