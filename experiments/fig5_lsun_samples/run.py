"""Figure 4 of v3: samples of a deep ResNet trained on LSUN bedrooms with the gradient penalty.

"We are able to train deep residual networks" (Section 5.2). The paper shows samples of 128 x 128 pixels
and no numbers; a distance to real images is measured beside them.
"""

from typing import ClassVar

from reproduction.config import TrainingConfig
from reproduction.evaluation import ImageEvaluation
from wgangp import WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import lsun_bedrooms
from wgangp.networks.lsun import DeepCritic, DeepGenerator


class Config(TrainingConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    size: int  # 64 or 128 pixels
    dim: int
    critic_iters: int
    judged: int  # generated images
    reference: int  # real images that distances are taken to


def build(config):
    networks = DeepGenerator(config.dim, config.size), DeepCritic(config.dim, config.size)
    return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)


def run(config, seed, job):
    gan, data = build(config), lsun_bedrooms("train", config.size, fallback=True)
    evaluation = ImageEvaluation(data, config.judged, config.reference)
    config.train(gan, ScaledImages(data.images, config.scaling), seed, job, lr_decay=True)
    images = to_bytes(gan.generate(evaluation.count, seed=seed), config.scaling)
    job.save_arrays(data, samples=images[:32])
    return evaluation.rows(images)
