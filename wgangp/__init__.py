"""WGAN-GP in PaddlePaddle: the library behind the reproduction of arXiv 1704.00028.

    WGAN_GP, WGAN, DCGAN, LSGAN     train a generator against a critic
    ConditionalWGAN_GP              with labels (AC-GAN conditioning)
    gradient_penalty                the paper's Eq. 3, as a function
    Callback                        what a training calls every so many iterations
    InputError, Diverged, BudgetSpent   what they raise

Modules: losses, layers, networks, data, metrics, optimizers, paddlescience; runtime has devices, checkpoints and files.
What runs the experiments and compares them with the paper is the package `reproduction`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from wgangp.runtime import devices

devices.tune_cpu()  # before the first import of paddle, which reads the environment then

if TYPE_CHECKING:
    from wgangp.baselines import DCGAN, LSGAN, WGAN
    from wgangp.conditional import ConditionalWGAN_GP
    from wgangp.errors import BudgetSpent, Diverged, InputError
    from wgangp.losses import gradient_penalty
    from wgangp.training import Callback
    from wgangp.wgan_gp import WGAN_GP

__version__ = "0.1.0"
__all__ = [
    "DCGAN",
    "LSGAN",
    "WGAN",
    "WGAN_GP",
    "BudgetSpent",
    "Callback",
    "ConditionalWGAN_GP",
    "Diverged",
    "InputError",
    "gradient_penalty",
]
_HOMES = {
    "DCGAN": "baselines",
    "LSGAN": "baselines",
    "WGAN": "baselines",
    "WGAN_GP": "wgan_gp",
    "ConditionalWGAN_GP": "conditional",
    "BudgetSpent": "errors",
    "Callback": "training",
    "Diverged": "errors",
    "InputError": "errors",
    "gradient_penalty": "losses",
}
_MODULES = ("data", "layers", "losses", "metrics", "networks", "optimizers", "paddlescience")


def __getattr__(name):
    """Import a name of `__all__`, or a module, when it is first used, and Paddle with it, which takes seconds."""
    if name in _MODULES:
        return import_module(f"wgangp.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'wgangp' has no attribute '{name}'")
    return getattr(import_module(f"wgangp.{_HOMES[name]}"), name)


def __dir__():
    return [*globals(), *_HOMES, *_MODULES]
