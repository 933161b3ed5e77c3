"""Time of whole training iterations on a GPU against the usual PyTorch port.

    WGANGP_DEVICE=aten python benchmarks/gpu_step_time.py

The networks of Table 3 (without and with labels) and of Figure 3 at the paper's sizes, and with `--model` Figure 2's
ResNet-101 and Figure 4's at 64 pixels; an iteration is five critic steps with fresh batches of 64 and a generator step
(of 128 for Table 3). Ours as `BaseGAN.train` makes them, step by
step and as a captured graph; PyTorch's as its ports of WGAN-GP write them, likewise. "Paddle" has the gradients that
`wgangp.networks.written_out` writes out, "autograd" has not. Each side has a process of its own, and they take turns
block by block on the same GPU, TF32 allowed, cuDNN choosing its fastest kernels. Printed: milliseconds (median, lowest,
highest over blocks), the ratio to the first way, and where a captured iteration of ours spends its time.
"""

import argparse
from functools import cache, partial

import torch
from models import Model, iteration_of
from turns import Side, compared, line, milliseconds, serve

SIDES = ("PyTorch", "autograd", "Paddle")
LARGE = ("Figure 2, ResNet-101", "Figure 4")
# There is no port of these here, nor are gradients of layer normalisation written out.
WITHOUT = {"Table 3, labels": ("PyTorch",)} | dict.fromkeys(LARGE, ("PyTorch", "autograd"))


def models(dim):
    """What is timed, the paper's width being 128."""
    usual = [Model("Table 3", dim, 64, 128), Model("Table 3, labels", dim, 64, 128), Model("Figure 3", dim, 64, 64)]
    return usual + [Model(name, dim // 2, 64, 64) for name in LARGE]


def synchronize():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def kernels(iteration, repeats=3, most=14):
    """Kernels by time, per iteration, as lines."""
    if not torch.cuda.is_available():
        return []
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(repeats):
            iteration()
        synchronize()
    events = sorted(profile.key_averages(), key=lambda event: -event.self_device_time_total)
    total = sum(event.self_device_time_total for event in events) / 1000 / repeats
    lines = [f"kernels of a captured iteration, {total:.2f} ms in all:"]
    for event in events[:most]:
        spent = event.self_device_time_total / 1000 / repeats
        lines.append(f"{spent:8.3f} ms {event.count / repeats:6.0f} x  {event.key[:100]}")
    return lines


def answers_of(side, dim):
    """Answer requests: the number of a model, whether as a captured graph, and of iterations; milliseconds of one, or
    kernels for 0."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True

    @cache
    def made(number, captured):
        if side == "PyTorch":
            import torch_port

            plain = torch_port.iteration_of(models(dim)[number])
            return torch_port.captured(plain) if captured else plain
        return iteration_of(models(dim)[number], captured)

    if side != "PyTorch":
        from wgangp.runtime import devices

        devices.load_aten()  # before Paddle is imported
    if side == "autograd":
        from wgangp.networks.cifar import ResNetCritic
        from wgangp.networks.convolutional import ConvCritic

        del ResNetCritic.loss_gradients, ConvCritic.loss_gradients

    def answer(number, captured, repeats):
        iteration = made(number, captured)
        return milliseconds(iteration, repeats, synchronize) if repeats else kernels(iteration)

    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=20, help="iterations per block")
    parser.add_argument("--dim", type=int, default=128, help="width of the networks; the paper's is 128")
    parser.add_argument("--model", choices=[model.name for model in models(128)], action="append")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        return serve(answers_of(given.side, given.dim))
    machine = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"{machine}; PyTorch {torch.__version__}, width {given.dim}", flush=True)
    sides = {name: Side([__file__, "--side", name, "--dim", str(given.dim)]) for name in SIDES}
    for number, model in enumerate(models(given.dim)):
        if model.name not in (given.model or [usual.name for usual in models(128) if usual.name not in LARGE]):
            continue
        ways = {
            f"{name}, {'captured' if captured else 'step by step'}": partial(side.ask, number, captured, given.repeats)
            for captured in (False, True)
            for name, side in sides.items()
            if name not in WITHOUT.get(model.name, ())
        }
        print(f"{model.name}, ms per iteration: median (lowest, highest); ratio to {next(iter(ways))}")
        for name, (times, ratios) in compared(given.blocks, ways).items():
            print(f"  {name:22} {line(times):28}{line(ratios)}", flush=True)
        print(*(f"  {text}" for text in sides["Paddle"].ask(number, True, 0)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
