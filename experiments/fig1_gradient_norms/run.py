"""Figure 1b of v3: weight clipping makes a deep critic's gradients explode or vanish, the penalty does not.

"For each c, the gradient either grows or decays exponentially as we move farther back in the
network" (Section 3.2). A generator and a critic of 12 hidden ReLU layers are trained on the Swiss
roll, by clipping with c = 0.1, 0.01, 0.001 and by gradient penalty. Measured: the log10 norm of the
critic loss's gradient at each layer's activations, its slope per layer going back and how straight that
line is, and the share of weights at the clipping bounds.
"""

from functools import partial
from typing import Literal

import numpy as np

from reproduction.config import MethodConfig
from reproduction.results import row as result_row
from wgangp.data.toy import Toy
from wgangp.metrics.toy import layer_gradient_norms, share_at_bounds
from wgangp.networks.toy import toy_critic, toy_generator


class Config(MethodConfig):
    method: Literal["clip", "gp"]  # with "gp", c is the bound that the share of weights is compared at
    width: int
    depth: int
    measured_on: int  # real and generated points each


def build(config):
    return config.gan(toy_generator(config.width, config.depth), toy_critic(config.width, config.depth))


def run(config, seed, job):
    gan, data = build(config), Toy("swissroll")
    config.train(gan, data, seed, job)
    real = data.sample(config.measured_on, np.random.default_rng([seed, 1]))
    fake = gan.generate(config.measured_on, seed=seed)
    norms = np.log10(layer_gradient_norms(gan.discriminator, real, fake))
    weights = np.concatenate([linear.weight.numpy().ravel() for linear in gan.discriminator.linears])
    bound = 1.25 * np.quantile(abs(weights), 0.999)  # the few wider weights of the first layer left out
    counts, edges = np.histogram(weights, bins=101, range=(-bound, bound))
    job.save_arrays(data, log10_norms=norms, counts=counts, edges=edges)

    hidden = norms[:-1][::-1]  # from the last hidden layer back to the first
    protocol = f"float64, mean over real and generated points, after {config.iterations} generator iterations"
    row = partial(result_row, data=data, protocol=protocol, samples=2 * config.measured_on)
    rows = [row("log10_gradient_norm", value, part=f"layer {i}") for i, value in enumerate(norms, 1)]
    rows.append(row("slope_per_layer", np.polyfit(np.arange(len(hidden)), hidden, 1)[0]))
    about = {"protocol": f"after {config.iterations} generator iterations", "samples": len(weights)}
    rows.append(row("share_of_weights_at_c", share_at_bounds(weights, config.c), **about))
    return rows
