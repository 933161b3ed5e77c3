"""Data and metrics of the cases, from wgangp.data and wgangp.metrics."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
import ppsci
from omegaconf import DictConfig

from wgangp import paddlescience
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.fields import Permeability, Vorticity
from wgangp.data.images import cifar10, mnist
from wgangp.data.toy import Toy
from wgangp.metrics import digits
from wgangp.metrics.evaluator import ImageEvaluator
from wgangp.metrics.toy import exact_w1, mode_coverage


@dataclass
class Case:
    """What a case trains on and is judged by.

    Args:
        train_data (Any): For `.train`.
        held_out (np.ndarray): Real samples that are not trained on, [n, ...].
        metric (ppsci.metric.FunctionalMetric): Compares generated samples with them.
    """

    train_data: Any
    held_out: np.ndarray
    metric: ppsci.metric.FunctionalMetric


def load_case(cfg: DictConfig) -> Case:
    """Data and metric of the case that DATA.name says.

    Args:
        cfg (DictConfig): Config of the example.

    Returns:
        Case: The case, with EVAL.num_samples held-out samples or as many as there are.
    """
    name, count, (key,) = cfg.DATA.name, cfg.EVAL.num_samples, cfg.MODEL.output_keys
    rng = np.random.default_rng([cfg.seed, 1])

    def metric(compare):
        return ppsci.metric.FunctionalMetric(lambda out, label: compare(out[key].numpy(), label[key].numpy()))

    if name == "permeability":
        data = Permeability(cfg.DATA.size)
        fields = paddlescience.field_metric(key, periodic=False, conductivity=True)
        return Case(data, data.sample(count, rng), fields)
    if name == "vorticity":
        data, others = Vorticity(cfg.DATA.size, cfg.DATA.runs, seed=0), Vorticity(cfg.DATA.size, count, seed=1)
        return Case(data, others.sample(count, rng), paddlescience.field_metric(key))
    if name == "mnist":
        return Case(
            ScaledImages(mnist("train", fallback=True).images, "unit"),
            mnist("validation", fallback=True).images[:count],
            metric(compare_digits),
        )
    if name == "cifar10":
        data = cifar10("train", fallback=True)
        evaluator = ImageEvaluator(data, count, count)

        def compare_images(generated, real):
            scores = evaluator.evaluate(to_bytes(generated, "dcgan"), reference=real)
            first = {evaluator.distance: scores[evaluator.distance]}  # by which the best model is chosen
            return {name: value for name, (value, _) in (first | scores).items()}

        return Case(ScaledImages(data.images, "dcgan"), evaluator.reference, metric(compare_images))
    data = Toy(name)

    def compare_points(generated, real):
        distances = {"exact_w1": exact_w1(generated, real)}
        if data.centers is not None:
            distances["modes"], distances["good_share"] = mode_coverage(generated, data.centers, data.std)
        return distances

    return Case(data, data.sample(count, rng), metric(compare_points))


def compare_digits(generated, real):
    """Scores by a small digit classifier.

    Args:
        generated: [n, 1, 28, 28] in [0, 1].
        real: uint8 [n, 1, 28, 28].

    Returns:
        Dict[str, float]: As of digits.score_digits; by the first the best model is chosen.
    """
    scores = digits.score_digits(to_bytes(generated, "unit"), real)
    return {name: value for name, (value, _) in scores.items()}


def build_validator(cfg: DictConfig, case: Case, latent_dim: int):
    """Validator of a generator: fixed latent vectors, held-out samples and the case's metric.

    Args:
        cfg (DictConfig): Config of the example.
        case (Case): The case.
        latent_dim (int): Length of the latent vectors.

    Returns:
        Dict[str, ppsci.validate.SupervisedValidator]: For a Solver.
    """
    (input_key,), (output_key,) = cfg.MODEL.input_keys, cfg.MODEL.output_keys
    shape = [len(case.held_out), latent_dim]
    latent = np.random.default_rng([cfg.seed, 2]).standard_normal(shape, dtype="float32")

    def no_loss(output_dict, label_dict, *args):  # nothing pairs a latent vector with a sample; the metric judges
        return {"none": paddle.zeros([])}

    validator = ppsci.validate.SupervisedValidator(
        {
            "dataset": {
                "name": "NamedArrayDataset",
                "input": {input_key: latent},
                "label": {output_key: case.held_out},
            },
            "batch_size": cfg.EVAL.batch_size,
            "sampler": {"name": "BatchSampler", "drop_last": False, "shuffle": False},
        },
        ppsci.loss.FunctionalLoss(no_loss),
        {output_key: lambda out: out[output_key]},
        metric={"metric": case.metric},
        name="held_out",
    )
    return {validator.name: validator}
