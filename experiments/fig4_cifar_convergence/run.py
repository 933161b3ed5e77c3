"""Figure 3 of v3: score over iterations and over time, DCGAN architecture on CIFAR-10.

"WGAN with gradient penalty outperforms weight clipping, even with the same optimizer; with Adam it
does better still; it is slower than DCGAN but more stable at convergence" (Section 5.3, shortened).
Four settings: clipping, penalty with RMSProp at the same step size, penalty with Adam, DCGAN. Seconds are of
training alone: evaluations and the first iterations, in which a GPU chooses its kernels, are left out.
"""

from functools import partial
from typing import ClassVar, Literal

import numpy as np

from reproduction.config import MethodConfig
from reproduction.evaluation import ImageEvaluation, rows_over_training
from reproduction.results import row as result_row
from wgangp.data.batches import ScaledImages, to_bytes
from wgangp.data.images import cifar10
from wgangp.networks.cifar import dcgan_critic, dcgan_generator

WARM_UP = 200  # iterations whose seconds are left out


class Config(MethodConfig):
    scaling: ClassVar[str] = "dcgan"  # of the images, see wgangp.data.batches.scale
    optimizer: Literal["adam", "rmsprop"]
    dim: int
    judged_every: int  # iterations
    judged_by: Literal["all", "cheap"]  # during training: all metrics, or those without the Inception network
    judged: int  # generated images per evaluation
    reference: int  # real images that distances are taken to


def build(config):
    return config.gan(dcgan_generator(config.dim), dcgan_critic(config.dim, batch_norm=config.method != "gp"))


def run(config, seed, job):
    gan, data = build(config), cifar10(fallback=True)
    evaluation = ImageEvaluation(data, config.judged, config.reference)
    metrics = evaluation.metrics if config.judged_by == "all" else evaluation.cheap
    callback = evaluation.callback(config.judged_every, config.scaling, metrics, job.publish)
    images = ScaledImages(data.images, config.scaling)
    history = config.train(gan, images, seed, job, [callback], optimizer=config.optimizer)
    after = min(WARM_UP, len(history) // 2)
    seconds = history["seconds"] - history["seconds"][after - 1]
    curves = {name: history[[name, "seconds"]].dropna() for name in metrics}
    grid = to_bytes(gan.generate(36, seed=seed), config.scaling)
    stacked = {f"curve/{k}": np.stack([v.index + 1, v[k], seconds[v.index]]) for k, v in curves.items()}
    job.save_arrays(data, samples=grid, **stacked)
    rows = evaluation.rows(to_bytes(gan.generate(evaluation.count, seed=seed + 1), config.scaling))
    rows += rows_over_training(evaluation, history, metrics)
    row = partial(result_row, data=data, protocol=f"training alone, after iteration {after}")
    judged_at = history.index[history[metrics[0]].notna() & (history.index >= after)]
    rows += [row("training_seconds", seconds[i], part=f"iteration {i + 1}") for i in judged_at]
    rows.append(row("seconds_per_iteration", seconds.iloc[-1] / (len(history) - after)))
    return rows
