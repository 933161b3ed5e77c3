"""Table 3 of v3: WGAN-GP with a ResNet on CIFAR-10, unsupervised and supervised (AC-GAN conditioning).

"Our unsupervised model achieves state-of-the-art performance, and our conditional model outperforms
all others except SGAN" (Section 5.4): Inception scores 7.86 and 8.42. The model is evaluated every so
many iterations as in gan_cifar_resnet.py; the last evaluation and the best are named apart, because
the paper does not say which one it prints.
"""

from typing import ClassVar, Literal

import numpy as np

from reproduction.config import TrainingConfig
from reproduction.evaluation import ImageEvaluation, curves_over_training, rows_over_training
from wgangp import WGAN_GP, Callback, ConditionalWGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import CIFAR10_CLASSES, cifar10
from wgangp.networks.cifar import ResNetCritic, ResNetGenerator

CLASSES = CIFAR10_CLASSES
SHOWN = 60  # samples kept, supervised six of each class


class Config(TrainingConfig):
    scaling: ClassVar[str] = "resnet"  # of the images, see wgangp.data.batches.scale
    supervised: bool
    dim: int
    generator_batch_size: int
    critic_iters: int
    judged_every: int  # iterations
    judged_by: Literal["all", "cheap"]  # during training: all metrics, or those without the Inception network
    judged: int  # generated images per evaluation
    reference: int  # real images that distances are taken to


def build(config):
    classes = 10 if config.supervised else None
    networks = ResNetGenerator(config.dim, classes), ResNetCritic(config.dim, classes)
    method = ConditionalWGAN_GP if config.supervised else WGAN_GP
    return method(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)


def run(config, seed, job):
    gan, data = build(config), cifar10(fallback=True)
    evaluation = ImageEvaluation(data, config.judged, config.reference)
    metrics = evaluation.metrics if config.judged_by == "all" else evaluation.cheap
    labels = {"labels": np.tile(np.arange(10), 10)} if config.supervised else {}  # a class per column

    def grid():  # of 100 made at once, which is what batch norm normalises over
        return to_bytes(gan.generate(100, seed=seed, **labels), config.scaling)[:SHOWN]

    def keep_samples(gan, iteration, losses):  # so that a run in progress can be looked at
        job.save_arrays(data, samples=grid())

    every = config.judged_every
    history = config.train(
        gan,
        ScaledImages(data.images, config.scaling, data.labels if config.supervised else None),
        seed,
        job,
        [evaluation.callback(every, config.scaling, metrics, job.publish), Callback(keep_samples, every)],
        lr_decay=True,
        generator_batch_size=config.generator_batch_size,
    )
    state = gan.generator.state_dict().items() if seed == 0 else ()  # kept once, for `wgangp generate`
    generator = {f"generator/{name}": value.numpy().astype("float16") for name, value in state}
    job.save_arrays(data, samples=grid(), **curves_over_training(history, metrics), **generator)
    rows = evaluation.rows(to_bytes(gan.generate(evaluation.count, seed=seed + 1), config.scaling))
    return rows + rows_over_training(evaluation, history, metrics)
