"""Table 3 of v3: WGAN-GP with a ResNet on CIFAR-10, unsupervised and supervised (AC-GAN conditioning).

"Our unsupervised model achieves state-of-the-art performance, and our conditional model outperforms
all others except SGAN" (Section 5.4): Inception scores 7.86 and 8.42. The model is judged every so
many iterations as in gan_cifar_resnet.py; the last judgement and the best are named apart, because
the paper does not say which one it prints.
"""

from typing import Literal

import numpy as np

from wgangp import WGAN_GP, ConditionalWGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.experiment import Config as BaseConfig
from wgangp.metrics.judge import Judge
from wgangp.networks.cifar import ResNetCritic, ResNetGenerator


class Config(BaseConfig):
    supervised: bool
    dim: int
    batch_size: int
    generator_batch_size: int
    iterations: int
    critic_iters: int
    learning_rate: float
    beta1: float
    beta2: float
    lambda_gp: float
    judged_every: int  # iterations
    judged_by: Literal["all", "cheap"]  # during training: all metrics, or those without the Inception network
    judged: int  # generated images per judgement
    reference: int  # real images that distances are taken to


def build(config):
    classes = 10 if config.supervised else None
    networks = ResNetGenerator(config.dim, classes), ResNetCritic(config.dim, classes)
    method = ConditionalWGAN_GP if config.supervised else WGAN_GP
    return method(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)


def run(config, seed):
    gan, data = build(config), cifar10(fallback=True)
    judge = Judge(data, config.judged, config.reference)
    metrics = judge.metrics if config.judged_by == "all" else judge.cheap
    labels = {"labels": np.tile(np.arange(10), 10)} if config.supervised else {}  # a class per column

    def grid():
        return to_bytes(gan.generate(100, seed=seed, **labels), "resnet")

    def keep_samples(gan, iteration, record):  # so that a run on its way can be looked at
        config.save_arrays(samples=grid())

    keep_samples.every = config.judged_every
    training = {"batch_size": config.batch_size, "generator_batch_size": config.generator_batch_size}
    training |= {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate, "lr_decay": True}
    training |= {"beta1": config.beta1, "beta2": config.beta2, "iterations": config.iterations, "seed": seed}
    history = gan.train(
        ScaledImages(data.images, "resnet", data.labels if config.supervised else None),
        callbacks=[judge.callback(config.judged_every, "resnet", metrics, config.publish), keep_samples],
        **training,
        **config.train_options,
    )
    curves = {name: history[name].dropna() for name in metrics}
    config.save_arrays(
        samples=grid(),
        **{f"curve/{name}": np.stack([curve.index + 1, curve]) for name, curve in curves.items()},
        **{f"generator/{name}": value.numpy() for name, value in gan.generator.state_dict().items()},
    )
    rows = judge.rows(to_bytes(gan.generate(judge.count, seed=seed + 1), "resnet"))
    rows += judge.rows_over_training(history, metrics)
    for name, curve in curves.items():
        if name.startswith(("precision", "recall")):  # which have no best apart from each other
            continue
        best = judge.row(name, curve.max() if name.endswith("score") else curve.min())
        rows.append(best | {"quantity": f"{name}_best", "protocol": f"best of {len(curve)}; {judge.protocol}"})
    return rows
