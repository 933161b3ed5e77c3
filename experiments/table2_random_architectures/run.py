"""Tables 1, 2 and 5 and Appendix C of v3: random architectures, each trained as a GAN and as a WGAN-GP.

"For most choices of score threshold, WGAN-GP successfully trains many architectures from this set which we were unable
to train with the standard GAN objective" (Section 5.1): how many of 200 architectures exceed a minimum score with one
method only, with both, with neither, over 17 minimum scores. With the one-sided penalty as a third method, Appendix C:
no significant difference. A training that ends in NaN or in an error of an operator is a failure of its architecture,
below every minimum.
"""

from typing import ClassVar, Literal

import numpy as np

from reproduction.config import TrainingConfig
from reproduction.evaluation import ImageEvaluation
from reproduction.results import row
from wgangp import DCGAN, WGAN_GP
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.metrics.evaluator import available_metrics, cheap_metrics
from wgangp.metrics.image_scores import CALIBRATION
from wgangp.networks import random_architecture

SHARE = "share_of_real_"


class Config(TrainingConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    number: int  # of the architecture among those drawn, from 1
    method: Literal["GAN", "WGAN-GP", "WGAN-GP one-sided"]
    divisor: int  # of the filters
    weight_decay: float  # of normalised critics
    judged: int  # generated images
    reference: int  # real images that distances are taken to


def chosen(config):
    """The number in the whole set of the architecture drawn, and the architecture."""
    index = int(random_architecture.draw(config.number)[-1])
    return index, random_architecture.architecture(index)


def build(config):
    critic_norm = "batch" if config.method == "GAN" else "layer"
    networks = random_architecture.build(chosen(config)[1], critic_norm, config.divisor)
    if config.method == "GAN":
        return DCGAN(*networks)
    penalty = "one-sided" if config.method.endswith("one-sided") else "two-sided"
    return WGAN_GP(*networks, lambda_gp=config.lambda_gp, penalty=penalty)


def run(config, seed, job):
    data, (index, architecture) = cifar10(fallback=True), chosen(config)
    evaluation = ImageEvaluation(data, config.judged, config.reference, cheap_metrics(available_metrics(data)))
    metric = evaluation.metrics[0]
    try:
        gan = build(config)
        decay = config.weight_decay if architecture.critic_normalised else None
        config.train(gan, ScaledImages(data.images, config.scaling), seed, job, d_weight_decay=decay)
        samples = gan.generate(evaluation.count, seed=seed)
        failure = "" if np.isfinite(samples).all() else "the samples are not finite"
    except (ArithmeticError, RuntimeError) as error:  # NaN, an operator's error
        failure = " ".join(str(error).split())[:200] or type(error).__name__
    rows, share = [], 0.0
    if not failure:
        rows = evaluation.rows(to_bytes(samples, config.scaling))
        values = {scored["quantity"]: scored["value"] for scored in rows}
        share = share_of_real(metric, values[metric], values[f"{metric}_of_real_images"])
        job.keep_networks(gan)
    about = f"{architecture} (number {index} of the set); {evaluation.protocol}"
    rows.append(evaluation.row(metric, share, protocol=about) | {"quantity": SHARE + metric})
    return [*rows, row("failed", bool(failure), data, failure or evaluation.protocol)]


def share_of_real(metric, value, real):
    """How near a figure is to that of real images: 1 as good, near 0 bad.

    Inception scores are taken over the known one of real CIFAR-10, so that they meet the minimum scores as printed.
    """
    if metric == "inception_score":
        return value / CALIBRATION
    return value / real if metric.endswith("score") else real / value
