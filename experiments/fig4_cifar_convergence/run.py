"""Figure 3 of v3: score over iterations and over time, DCGAN architecture on CIFAR-10.

"WGAN with gradient penalty outperforms weight clipping, even with the same optimizer; with Adam it
does better still; it is slower than DCGAN but more stable at convergence" (Section 5.3, shortened).
Four settings: clipping, penalty with RMSProp at the same step size, penalty with Adam, DCGAN. Seconds are of
training alone: judgements and the first iterations, in which a GPU chooses its kernels, are left out.
"""

from functools import partial
from typing import Literal

import numpy as np

from wgangp import DCGAN, WGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.experiment import Config as BaseConfig
from wgangp.metrics.judge import Judge
from wgangp.networks.cifar import dcgan_critic, dcgan_generator
from wgangp.results import row as result_row

WARM_UP = 200  # iterations whose seconds are left out


class Config(BaseConfig):
    method: Literal["clip", "gp", "dcgan"]
    optimizer: Literal["adam", "rmsprop"]
    learning_rate: float
    beta1: float
    beta2: float
    dim: int
    batch_size: int
    iterations: int
    critic_iters: int
    lambda_gp: float
    c: float
    judged_every: int  # iterations
    judged_by: Literal["all", "cheap"]  # during training: all metrics, or those without the Inception network
    judged: int  # generated images per judgement
    reference: int  # real images that distances are taken to


def build(config):
    networks = dcgan_generator(config.dim), dcgan_critic(config.dim, batch_norm=config.method != "gp")
    if config.method == "gp":
        return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    if config.method == "clip":
        return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)
    return DCGAN(*networks, critic_iters=config.critic_iters)


def run(config, seed):
    gan, data = build(config), cifar10(fallback=True)
    judge = Judge(data, config.judged, config.reference)
    metrics = judge.metrics if config.judged_by == "all" else judge.cheap
    training = {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate}
    training |= {"optimizer": config.optimizer, "beta1": config.beta1, "beta2": config.beta2}
    history = gan.train(
        ScaledImages(data.images, "dcgan"),
        batch_size=config.batch_size,
        iterations=config.iterations,
        seed=seed,
        callbacks=[judge.callback(config.judged_every, "dcgan", metrics, config.publish)],
        **training,
        **config.train_options,
    )
    after = min(WARM_UP, len(history) // 2)
    seconds = history["seconds"] - history["seconds"][after - 1]
    curves = {name: history[[name, "seconds"]].dropna() for name in metrics}
    grid = to_bytes(gan.generate(100, seed=seed), "dcgan")
    stacked = {f"curve/{k}": np.stack([v.index + 1, v[k], seconds[v.index]]) for k, v in curves.items()}
    config.save_arrays(samples=grid, **stacked)
    rows = judge.rows(to_bytes(gan.generate(judge.count, seed=seed + 1), "dcgan"))
    rows += judge.rows_over_training(history, metrics)
    row = partial(result_row, protocol=f"training alone, after iteration {after}", data=data.sha256)
    judged_at = history.index[history[metrics[0]].notna() & (history.index >= after)]
    rows += [row("training_seconds", seconds[i], setting=f"iteration {i + 1}") for i in judged_at]
    rows.append(row("seconds_per_iteration", seconds.iloc[-1] / (len(history) - after)))
    return rows
