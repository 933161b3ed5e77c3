"""Beyond the paper: WGAN-GP as a generator of random physical fields, and what weight clipping gives on the same data.

Log-permeability with Matérn covariance, and vorticity of decaying two-dimensional turbulence. The fields are judged by
their spectrum, two-point correlation, density and, for permeability, effective conductivity, against held-out fields;
the same figures of a second set of real fields are the floor.
"""

from functools import partial
from typing import Literal

import numpy as np

from reproduction.experiment import Config as BaseConfig
from reproduction.results import row as result_row
from wgangp import WGAN, WGAN_GP
from wgangp.data.fields import Permeability, Vorticity
from wgangp.metrics.fields import compare_fields, radial_spectrum, spectrum_ratio, two_point_correlation
from wgangp.networks.fields import field_critic, field_generator


class Config(BaseConfig):
    data: Literal["permeability", "vorticity"]
    method: Literal["gp", "clip"]
    size: int  # points per side
    dim: int
    batch_size: int
    iterations: int
    critic_iters: int
    learning_rate: float
    beta1: float
    beta2: float
    lambda_gp: float
    c: float
    runs: int  # flows that the snapshots for training are of
    judged: int  # generated, held-out and floor fields each


def build(config):
    networks = (
        field_generator(config.size, config.dim),
        field_critic(config.size, config.dim, batch_norm=config.method == "clip"),
    )
    if config.method == "gp":
        return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)
    return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)


def real_fields(config, part, runs):
    """Data whose draws are independent of those of another part: 0 is for training, 1 held out, 2 the floor."""
    return Permeability(config.size) if config.data == "permeability" else Vorticity(config.size, runs, seed=part)


def run(config, seed):
    gan, data = build(config), real_fields(config, 0, config.runs)
    gan.train(
        data,
        batch_size=config.batch_size,
        iterations=config.iterations,
        g_learning_rate=config.learning_rate,
        d_learning_rate=config.learning_rate,
        beta1=config.beta1,
        beta2=config.beta2,
        lr_decay=True,
        seed=seed,
        **config.train_options,
    )
    held_out, floor = (
        real_fields(config, part, config.judged).sample(config.judged, np.random.default_rng([seed, part, 3]))
        for part in (1, 2)
    )
    generated = gan.generate(config.judged, seed=seed)
    arrays = {}
    for name, fields in (("generated", generated), ("real", held_out)):
        arrays |= {
            f"{name}/field": fields[0, 0].astype("float16"),
            f"{name}/correlation": two_point_correlation(fields)[1],
            f"{name}/spectrum": radial_spectrum(fields, data.periodic)[1],
        }
    config.save_arrays(data, **arrays)

    protocol = f"{config.judged} fields of {config.size}x{config.size} against as many held-out ones"
    row = partial(result_row, data=data, protocol=protocol, samples=config.judged)
    conductivity, rows = config.data == "permeability", []
    for name, fields in (("", generated), ("_of_real_fields", floor)):
        distances = compare_fields(fields, held_out, data.periodic, conductivity)
        rows += [row(f"{quantity}{name}", value) for quantity, value in distances.items()]
    ratios = spectrum_ratio(generated, held_out, data.periodic)
    rows += [row("log10_spectrum_ratio", ratio, part=f"band {k}") for k, ratio in enumerate(ratios, start=1)]
    return rows
