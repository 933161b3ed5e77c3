"""Time of toy training steps against the usual PyTorch port: python benchmarks/step_time.py (extra [bench]).

Both sides compute the same step (WGAN-GP, 3 x 512 ReLU, batch 256) on one thread, in alternated blocks of
one process, so that a change in the machine's speed meets both. Printed: milliseconds (median over
blocks), and the ratio of each pair of blocks (minimum, median, maximum).
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import statistics
import time

import torch  # before paddle, whose libraries torch does not find its own beside

import wgangp  # isort: skip
import paddle
from torch import nn

from wgangp import WGAN_GP
from wgangp.base_gan import make_optimizer
from wgangp.networks.toy import toy_critic, toy_generator

BATCH, WIDTH, DEPTH, LAMBDA = 256, 512, 3, 10.0


def mlp(sizes):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def torch_steps():
    """Critic and generator step as PyTorch ports of WGAN-GP write them."""
    generator, critic = mlp([2] + [WIDTH] * DEPTH + [2]), mlp([2] + [WIDTH] * DEPTH + [1])
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-4, betas=(0.5, 0.9))
    d_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.5, 0.9))
    real = torch.randn(BATCH, 2)

    def critic_step():
        d_optimizer.zero_grad()
        with torch.no_grad():
            fake = generator(torch.randn(BATCH, 2))
        alpha = torch.rand(BATCH, 1)
        x = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = critic(x)
        (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True)
        penalty = ((gradient.norm(2, dim=1) - 1) ** 2).mean()
        (critic(fake).mean() - critic(real).mean() + LAMBDA * penalty).backward()
        d_optimizer.step()

    def generator_step():
        g_optimizer.zero_grad()
        (-critic(generator(torch.randn(BATCH, 2))).mean()).backward()
        g_optimizer.step()

    return {"critic step": critic_step, "generator step": generator_step}


def paddle_steps():
    """The same steps as `BaseGAN.train` makes them."""
    gan = WGAN_GP(toy_generator(WIDTH, DEPTH), toy_critic(WIDTH, DEPTH), lambda_gp=LAMBDA)
    settings = {"optimizer": "adam", "beta1": 0.5, "beta2": 0.9}
    g_optimizer = make_optimizer(gan.generator, settings, 1e-4)
    d_optimizer = make_optimizer(gan.discriminator, settings, 1e-4)
    real = paddle.randn([BATCH, 2])

    @paddle.no_grad()
    def fake():
        return gan.draw_fake(real)

    return {
        "critic step": lambda: gan.critic_step(real, fake(), d_optimizer),
        "generator step": lambda: gan.generator_step(real, g_optimizer),
    }


def milliseconds(step, repeats):
    began = time.perf_counter()
    for _ in range(repeats):
        step()
    return 1000 * (time.perf_counter() - began) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=12, help="steps per block")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    paddle.seed(0)
    ours, theirs = paddle_steps(), torch_steps()
    print(f"{wgangp.devices.cpu_name()}, one thread, MKL_DEBUG_CPU_TYPE={os.environ.get('MKL_DEBUG_CPU_TYPE')}")
    print(f"Paddle {paddle.__version__}, PyTorch {torch.__version__}; {DEPTH} x {WIDTH}, batch {BATCH}")
    for name in ours:
        pairs = []
        for block in range(given.blocks + 1):
            pair = milliseconds(ours[name], given.repeats), milliseconds(theirs[name], given.repeats)
            if block:  # the first warms up
                pairs.append(pair)
        ratios = sorted(a / b for a, b in pairs)
        print(
            f"{name:15}  Paddle {statistics.median(a for a, _ in pairs):6.1f} ms   "
            f"PyTorch {statistics.median(b for _, b in pairs):6.1f} ms   "
            f"ratio {ratios[0]:.2f} {statistics.median(ratios):.2f} {ratios[-1]:.2f}"
        )


if __name__ == "__main__":
    main()
