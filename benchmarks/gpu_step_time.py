"""Time of whole iterations on a GPU against the usual PyTorch port.

    WGANGP_DEVICE=aten python benchmarks/gpu_step_time.py

Table 3's model and Figure 3's, at the paper's sizes: an iteration is five critic steps with fresh batches of 64
and a generator step (of 128 for Table 3). Ours as `BaseGAN.train` makes them, step by step and as a captured graph;
PyTorch's as its ports of WGAN-GP write them, likewise. "Paddle" has the gradients that `wgangp.by_hand` writes out,
"autograd" has not. Each side has a process of its own, and they take turns block by block on the same GPU, TF32
allowed, cuDNN choosing its fastest kernels. Printed: milliseconds (median, lowest, highest over blocks), the ratio to
PyTorch step by step, and where a captured iteration of ours spends its time.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CRITIC_ITERS, LAMBDA, BATCH = 5, 10.0, 64
SIDES = ("PyTorch", "autograd", "Paddle")


class TorchBlock(nn.Module):
    """Residual block of the usual port, with upsampling or mean pooling written out."""

    def __init__(self, before, after, resample, norm=False, first=False):
        super().__init__()
        middle = after if first or resample == "up" else before
        self.resample, self.first = resample, first
        self.norm1, self.norm2 = (nn.BatchNorm2d(n) if norm else nn.Identity() for n in (before, middle))
        self.conv1, self.conv2 = nn.Conv2d(before, middle, 3, padding=1), nn.Conv2d(middle, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if resample else nn.Identity()

    def forward(self, x):
        up, down = self.resample == "up", self.resample == "down"
        y = x if self.first else F.relu(self.norm1(x))
        y = self.conv1(F.interpolate(y, scale_factor=2) if up else y)
        y = self.conv2(F.relu(self.norm2(y)))
        if self.first:
            shortcut = self.shortcut(F.avg_pool2d(x, 2))
        else:
            shortcut = self.shortcut(F.interpolate(x, scale_factor=2) if up else x)
            shortcut = F.avg_pool2d(shortcut, 2) if down else shortcut
        return shortcut + (F.avg_pool2d(y, 2) if down else y)


class TorchResNetGenerator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim, self.linear = dim, nn.Linear(128, 16 * dim)
        self.blocks = nn.Sequential(*(TorchBlock(dim, dim, "up", norm=True) for _ in range(3)))
        self.norm, self.conv = nn.BatchNorm2d(dim), nn.Conv2d(dim, 3, 3, padding=1)

    def forward(self, z):
        x = self.blocks(self.linear(z).view(-1, self.dim, 4, 4))
        return torch.tanh(self.conv(F.relu(self.norm(x))))


class TorchResNetCritic(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.blocks = nn.Sequential(
            TorchBlock(3, dim, "down", first=True),
            TorchBlock(dim, dim, "down"),
            TorchBlock(dim, dim, None),
            TorchBlock(dim, dim, None),
        )
        self.score = nn.Linear(dim, 1)

    def forward(self, x):
        return self.score(F.relu(self.blocks(x)).mean((2, 3))).view(-1)


class TorchDCGANGenerator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim, self.linear, self.norm = dim, nn.Linear(128, 64 * dim), nn.BatchNorm1d(64 * dim)
        self.deconvs = nn.Sequential(
            nn.ConvTranspose2d(4 * dim, 2 * dim, 5, 2, 2, 1),
            nn.BatchNorm2d(2 * dim),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * dim, dim, 5, 2, 2, 1),
            nn.BatchNorm2d(dim),
            nn.ReLU(),
            nn.ConvTranspose2d(dim, 3, 5, 2, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.deconvs(F.relu(self.norm(self.linear(z))).view(-1, 4 * self.dim, 4, 4))


class TorchDCGANCritic(nn.Module):
    def __init__(self, dim):
        super().__init__()
        layers = []
        for before, after in ((3, dim), (dim, 2 * dim), (2 * dim, 4 * dim)):
            layers += [nn.Conv2d(before, after, 5, 2, 2), nn.LeakyReLU(0.2)]
        self.convs, self.score = nn.Sequential(*layers), nn.Linear(64 * dim, 1)

    def forward(self, x):
        return self.score(self.convs(x).flatten(1)).view(-1)


MODELS = {
    "Table 3": {
        "ours": lambda cifar, dim: (cifar.ResNetGenerator(dim), cifar.ResNetCritic(dim)),
        "torch": lambda dim: (TorchResNetGenerator(dim), TorchResNetCritic(dim)),
        "generator_batch": 2 * BATCH,
        "scaling": "resnet",
        "adam": (2e-4, 0.0, 0.9),
    },
    "Figure 3": {
        "ours": lambda cifar, dim: (cifar.dcgan_generator(dim), cifar.dcgan_critic(dim)),
        "torch": lambda dim: (TorchDCGANGenerator(dim), TorchDCGANCritic(dim)),
        "generator_batch": BATCH,
        "scaling": "dcgan",
        "adam": (1e-4, 0.5, 0.9),
    },
}


def torch_iteration(model, dim, images):
    """An iteration as PyTorch ports of WGAN-GP write it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator, critic = (network.to(device) for network in model["torch"](dim))
    rate, *betas = model["adam"]
    options = {"lr": rate, "betas": betas, "capturable": device == "cuda"}
    g_optimizer = torch.optim.Adam(generator.parameters(), **options)
    d_optimizer = torch.optim.Adam(critic.parameters(), **options)
    data = torch.from_numpy(images).to(device)

    def critic_step():
        chosen = torch.randint(len(data), (BATCH,), device=device)
        real = 2 * (data[chosen].float() / 256 - 0.5)
        if model["scaling"] == "resnet":
            real = real + torch.rand_like(real) / 128
        with torch.no_grad():
            fake = generator(torch.randn(BATCH, 128, device=device))
        alpha = torch.rand(BATCH, 1, 1, 1, device=device)
        x = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = critic(x)
        (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True)
        penalty = ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + LAMBDA * penalty
        d_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        d_optimizer.step()

    def iteration():
        for parameter in critic.parameters():
            parameter.requires_grad_(False)
        g_optimizer.zero_grad(set_to_none=True)
        (-critic(generator(torch.randn(model["generator_batch"], 128, device=device))).mean()).backward()
        g_optimizer.step()
        for parameter in critic.parameters():
            parameter.requires_grad_(True)
        for _ in range(CRITIC_ITERS):
            critic_step()

    return iteration


def torch_captured(iteration):
    """The same as a CUDA graph."""
    if not torch.cuda.is_available():
        return iteration
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            iteration()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        iteration()
    return graph.replay


def our_iteration(model, dim, images, captured):
    """An iteration as `BaseGAN.train` makes it."""
    from wgangp import WGAN_GP, devices
    from wgangp.base_gan import make_optimizer
    from wgangp.data.batches import ScaledImages, as_batches
    from wgangp.networks import cifar

    devices.choose()
    torch.backends.cudnn.benchmark = True
    gan = WGAN_GP(*model["ours"](cifar, dim), lambda_gp=LAMBDA, critic_iters=CRITIC_ITERS)
    gan.batch_size = model["generator_batch"]
    batches = as_batches(ScaledImages(images, model["scaling"]), BATCH, 0)
    rate, beta1, beta2 = model["adam"]
    settings = {"optimizer": "adam", "beta1": beta1, "beta2": beta2}
    optimizers = [make_optimizer(network, settings, rate) for network in (gan.generator, gan.discriminator)]

    def step(drawn):
        return gan.iteration(batches, *optimizers, drawn)

    run, count = devices.Replayed(step) if captured else (lambda drawn: step(devices.tensors(drawn))), [0]

    def iteration():
        first = count[0] * CRITIC_ITERS
        count[0] += 1
        return run([batches.draw(first + i) for i in range(CRITIC_ITERS)])

    return iteration


def synchronize():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def milliseconds(iteration, repeats):
    synchronize()
    began = time.perf_counter()
    for _ in range(repeats):
        iteration()
    synchronize()
    return 1000 * (time.perf_counter() - began) / repeats


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


def serve(side, dim):
    """Answer requests, a line of JSON each: milliseconds of a block, or kernels."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    images = np.random.default_rng(0).integers(0, 256, (2000, 3, 32, 32)).astype("uint8")
    if side == "autograd":
        from wgangp import by_hand

        by_hand.can = lambda critic: False
    answers, sys.stdout = sys.stdout, sys.stderr
    made = {}
    for line in sys.stdin:
        name, captured, repeats = json.loads(line)
        if (name, captured) not in made:
            if side == "PyTorch":
                plain = torch_iteration(MODELS[name], dim, images)
                made[name, captured] = torch_captured(plain) if captured else plain
            else:
                made[name, captured] = our_iteration(MODELS[name], dim, images, captured)
        iteration = made[name, captured]
        answer = milliseconds(iteration, repeats) if repeats else kernels(iteration)
        print(json.dumps(answer), file=answers, flush=True)


class Side:
    """A process that runs one side's iterations."""

    def __init__(self, name, dim):
        command = [sys.executable, __file__, "--side", name, "--dim", str(dim)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"The process ended while it ran {request}; its last words are above.")
        return json.loads(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=20, help="iterations per block")
    parser.add_argument("--dim", type=int, default=128, help="width of the networks; the paper's is 128")
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        return serve(given.side, given.dim)
    machine = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(f"{machine}; PyTorch {torch.__version__}, width {given.dim}", flush=True)
    sides = {name: Side(name, given.dim) for name in SIDES}
    for name in given.model or MODELS:
        ways = [(side, captured) for captured in (False, True) for side in SIDES]
        if name == "Figure 3":
            ways = [way for way in ways if way[0] != "autograd"]  # nothing by hand there
        times = {way: [] for way in ways}
        for block in range(given.blocks + 1):
            for side, captured in ways:
                spent = sides[side].ask(name, captured, given.repeats)
                if block:  # the first warms up
                    times[side, captured].append(spent)
        print(f"{name}, ms per iteration: median (lowest, highest); ratio to PyTorch step by step")
        for (side, captured), spent in times.items():
            ratio = statistics.median(a / b for a, b in zip(spent, times["PyTorch", False], strict=True))
            label = f"{side}, {'captured' if captured else 'step by step'}"
            line = f"{statistics.median(spent):7.2f} ({min(spent):.2f}, {max(spent):.2f})   {ratio:.2f}"
            print(f"  {label:22} {line}", flush=True)
        print(*(f"  {line}" for line in sides["Paddle"].ask(name, True, 0)), sep="\n")


if __name__ == "__main__":
    main()
