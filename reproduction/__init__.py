"""The frame around the library: runs the experiments, keeps their results, compares them with the paper."""

from reproduction import interrupts

if interrupts.is_command():
    interrupts.listen(interrupts.end)  # main() sets another once Paddle is imported

TIERS = ("smoke", "short", "medium", "paper")
SEEDS = 2**32  # numpy, Paddle and the results take those below
