"""What a terminal shows while jobs run."""

import io

import pytest

from reproduction.display import Display
from wgangp.runtime.progress import line

PROGRESS = {"label": "fig1 [gp] short seed 0", "total": 200, "initial": 100, "done": 120, "seconds": 10.0}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_has_rate_and_time_left_of_this_attempt():
    text = line(PROGRESS)  # 20 steps in 10 seconds, 80 to go
    assert text.startswith("fig1 [gp] short seed 0:  60%") and "00:10<00:40" in text and "2.00it/s" in text


def test_a_terminal_has_a_line_for_each_job_and_none_after_its_end(capsys):
    screen = Terminal()
    display = Display(screen)
    display.show(0, PROGRESS)
    display.show(1, PROGRESS | {"label": "fig2 [gp] short seed 0", "done": 150})
    shown = screen.getvalue()
    assert "fig1 [gp] short seed 0:  60% 120/200" in shown and "fig2 [gp] short seed 0:  75% 150/200" in shown
    assert "\n" in shown  # the second job's line is below the first's
    display.print("done: fig1")
    assert capsys.readouterr().out == "done: fig1\n"
    display.show(1, PROGRESS | {"label": "fig3", "done": 199})  # the same worker, the next job
    assert len(display.bars) == 2 and "fig3: " in screen.getvalue()
    display.close()
    assert not display.bars


@pytest.mark.parametrize("after, lines", [(29.0, 0), (31.0, 1)])
def test_elsewhere_a_job_prints_a_line_every_half_minute(after, lines, monkeypatch):
    output, now = io.StringIO(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    display = Display(output)
    display.show(0, PROGRESS)
    now[0] += after
    display.show(0, PROGRESS | {"done": 140})
    assert output.getvalue().count("140/200") == len(output.getvalue().splitlines()) == lines
