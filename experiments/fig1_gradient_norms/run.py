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
import pandas as pd
from scipy import stats

from reproduction.experiment import Config as BaseConfig
from reproduction.results import of_runs
from reproduction.results import row as result_row
from wgangp import WGAN, WGAN_GP
from wgangp.data.toy import Toy
from wgangp.metrics.toy import layer_gradient_norms, share_at_bounds
from wgangp.networks.toy import toy_critic, toy_generator


class Config(BaseConfig):
    method: Literal["clip", "gp"]
    c: float  # clipping bound; for "gp" the bound that the share of weights is compared at
    width: int
    depth: int
    batch_size: int
    iterations: int
    critic_iters: int
    learning_rate: float
    beta1: float
    beta2: float
    lambda_gp: float
    measured_on: int  # real and generated points each


def build(config):
    networks = toy_generator(config.width, config.depth), toy_critic(config.width, config.depth)
    if config.method == "clip":
        return WGAN(*networks, critic_iters=config.critic_iters, clip=config.c)
    return WGAN_GP(*networks, critic_iters=config.critic_iters, lambda_gp=config.lambda_gp)


def run(config, seed):
    gan, data = build(config), Toy("swissroll")
    rates = {"g_learning_rate": config.learning_rate, "d_learning_rate": config.learning_rate}
    training = rates | {"beta1": config.beta1, "beta2": config.beta2, "batch_size": config.batch_size}
    gan.train(data, iterations=config.iterations, seed=seed, **training, **config.train_options)

    real = data.sample(config.measured_on, np.random.default_rng([seed, 1]))
    fake = gan.generate(config.measured_on, seed=seed)
    norms = np.log10(layer_gradient_norms(gan.discriminator, real, fake))
    weights = np.concatenate([linear.weight.numpy().ravel() for linear in gan.discriminator.linears])
    bound = 1.25 * np.quantile(abs(weights), 0.999)  # the few wider weights of the first layer left out
    counts, edges = np.histogram(weights, bins=101, range=(-bound, bound))
    config.save_arrays(data, log10_norms=norms, counts=counts, edges=edges)

    hidden = norms[:-1][::-1]  # from the last hidden layer back to the first
    protocol = f"float64, mean over real and generated points, after {config.iterations} generator iterations"
    row = partial(result_row, data=data, protocol=protocol, samples=2 * config.measured_on)
    rows = [row("log10_gradient_norm", value, part=f"layer {i}") for i, value in enumerate(norms, 1)]
    rows.append(row("slope_per_layer", np.polyfit(np.arange(len(hidden)), hidden, 1)[0]))
    about = {"protocol": f"after {config.iterations} generator iterations", "samples": len(weights)}
    rows.append(row("share_of_weights_at_c", share_at_bounds(weights, config.c), **about))
    return rows


def summary(rows):
    """How straight each profile is over the hidden layers, and how steep c = 0.1 is at its first layers.

    Args:
        rows: a DataFrame of all runs' rows.

    Returns:
        A list of rows: straightness_of_slope, R^2 of the line that slope_per_layer is the slope of; for c = 0.1
        slope_over_first_layers, the slope going back from layer 3 to layer 1, which the paper's figure shows.

    Source: Figure 1b, left.
    """
    made, layers = [], rows[rows["quantity"] == "log10_gradient_norm"]
    for (*_, setting), group in layers.groupby(["tier", "seed", "dataset", "setting"]):
        numbers = group["part"].str.removeprefix("layer ").astype(int)
        hidden = pd.Series(group["value"].to_numpy(), numbers).sort_index()[:-1]  # the last is the output layer
        if len(hidden) < 3 or not np.isfinite(hidden).all():
            continue
        line = stats.linregress(hidden.index, hidden)
        row = partial(of_runs, group, setting)
        made.append(row("straightness_of_slope", line.rvalue**2, f"R^2 of the line over {len(hidden)} hidden layers"))
        if setting == "clip c=0.1" and {1, 2, 3} <= set(hidden.index):
            slope = -stats.linregress([1, 2, 3], hidden.loc[1:3]).slope
            made.append(row("slope_over_first_layers", slope, "line over layers 3 to 1, going back"))
    return made
