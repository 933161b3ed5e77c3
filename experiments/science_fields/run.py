"""Beyond the paper: WGAN-GP as a generator of random physical fields, and what weight clipping gives on the same data.

Log-permeability with Matérn covariance, and vorticity of decaying two-dimensional turbulence. The fields are judged by
their spectrum, two-point correlation, density and, for permeability, effective conductivity, against held-out fields;
the same figures of a second set of real fields are the floor.
"""

from functools import partial
from typing import Literal

import numpy as np

from reproduction.config import MethodConfig
from reproduction.results import row as result_row
from wgangp.data.fields import Permeability, Vorticity
from wgangp.metrics.fields import compare_fields, radial_spectrum, spectrum_ratio, two_point_correlation
from wgangp.networks.fields import field_critic, field_generator


class Config(MethodConfig):
    data: Literal["permeability", "vorticity"]
    method: Literal["gp", "clip"]
    size: int  # points per side
    dim: int
    runs: int  # flows that the snapshots for training are of
    judged: int  # generated, held-out and floor fields each


def build(config):
    generator = field_generator(config.size, config.dim)
    return config.gan(generator, field_critic(config.size, config.dim, batch_norm=config.method == "clip"))


def real_fields(config, part, runs):
    """Data whose draws are independent of those of another part: 0 is for training, 1 held out, 2 the floor."""
    return Permeability(config.size) if config.data == "permeability" else Vorticity(config.size, runs, seed=part)


def run(config, seed, job):
    gan, data = build(config), real_fields(config, 0, config.runs)
    config.train(gan, data, seed, job, lr_decay=True)
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
    job.save_arrays(data, **arrays)

    protocol = f"{config.judged} fields of {config.size}x{config.size} against as many held-out ones"
    row = partial(result_row, data=data, protocol=protocol, samples=config.judged)
    conductivity, rows = config.data == "permeability", []
    for name, fields in (("", generated), ("_of_real_fields", floor)):
        distances = compare_fields(fields, held_out, data.periodic, conductivity)
        rows += [row(f"{quantity}{name}", value) for quantity, value in distances.items()]
    ratios = spectrum_ratio(generated, held_out, data.periodic)
    rows += [row("log10_spectrum_ratio", ratio, part=f"band {k}") for k, ratio in enumerate(ratios, start=1)]
    return rows
