"""Time of whole training iterations on one CPU core against the usual PyTorch port.

    python benchmarks/cpu_step_time.py

Needs the extra `bench`; where `paddle_aten` has been built, Paddle through ATen's kernels is measured too. An iteration
is five critic steps and a generator step of WGAN-GP. Each side has a process of its own, one thread each, and they take
turns block by block, so that a change in the machine's speed meets all of them. Printed: milliseconds and ratios to
PyTorch in the same block, median (lowest, highest).
"""

import argparse
import os
from functools import cache, partial

from models import Model, iteration_of
from turns import Side, compared, line, milliseconds, serve

MODELS = [
    Model("toy", 512, 256, 256),
    Model("Figure 3", 16, 64, 64),
    Model("Figure 3", 64, 64, 64),
    Model("Table 3", 16, 32, 64),
]
SIDES = ("PyTorch", "Paddle", "Paddle on aten")


def answers_of(side):
    """Answer requests: the number of a model and of iterations, the milliseconds of one."""

    @cache
    def made(number):
        if side != "PyTorch":
            return iteration_of(MODELS[number], device="aten" if "aten" in side else "cpu")
        import torch
        import torch_port

        torch.set_num_threads(1)
        return torch_port.iteration_of(MODELS[number])

    return lambda number, repeats: milliseconds(made(number), repeats)


def environment(side):
    """One thread, no GPU, and for the `aten` device what loads it."""
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    if "aten" in side:
        return os.environ | one_thread | {"WGANGP_DEVICE": "aten"}
    return os.environ | one_thread | {"WGANGP_DEVICE": "cpu"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5, help="of a block, about")
    parser.add_argument("--model", choices=sorted({model.name for model in MODELS}), action="append")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        return serve(answers_of(given.side))

    from wgangp import InputError
    from wgangp.runtime import devices, kernels

    names = list(SIDES)
    try:
        kernels.library()
    except InputError as error:
        names.remove("Paddle on aten")
        print(f"without aten: {error}")
    print(f"{devices.cpu_name()}, one thread a side; ms per iteration and ratio to PyTorch, median (lowest, highest)")
    sides = {name: Side([__file__, "--side", name], environment(name)) for name in names}
    for number, model in enumerate(MODELS):
        if given.model and model.name not in given.model:
            continue
        slowest = max(max(side.ask(number, 1), side.ask(number, 1)) for side in sides.values())
        repeats = max(1, round(1000 * given.seconds / slowest))
        ways = {name: partial(side.ask, number, repeats) for name, side in sides.items()}
        print(f"{model.name}, width {model.dim}, batch {model.batch}:", flush=True)
        for name, (times, ratios) in compared(given.blocks, ways).items():
            print(f"  {name:15}{line(times, 1):28}{line(ratios)}", flush=True)


if __name__ == "__main__":
    main()
