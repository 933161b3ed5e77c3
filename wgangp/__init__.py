"""WGAN-GP in PaddlePaddle: the core of the reproduction of arXiv 1704.00028.

    WGAN_GP, WGAN, DCGAN, LSGAN     train a generator against a critic
    ConditionalWGAN_GP              with labels (AC-GAN conditioning)
    gradient_penalty                the paper's Eq. 3, as a function
    InputError, Diverged            what they raise

Modules: losses, layers, networks, data, metrics, visualization; experiment, results, compare and
report make the paper's figures and tables.
"""

from wgangp import interrupts

if interrupts.is_command():
    interrupts.listen(interrupts.end)  # until main() has its own

from wgangp import devices  # noqa: E402

devices.prepare()  # before the first import of paddle, which reads the environment then

from wgangp.acgan import ConditionalWGAN_GP  # noqa: E402
from wgangp.dcgan import DCGAN  # noqa: E402
from wgangp.errors import Diverged, InputError  # noqa: E402
from wgangp.losses import gradient_penalty  # noqa: E402
from wgangp.lsgan import LSGAN  # noqa: E402
from wgangp.wgan import WGAN  # noqa: E402
from wgangp.wgan_gp import WGAN_GP  # noqa: E402

__version__ = "0.1.0"
__all__ = ["DCGAN", "LSGAN", "WGAN", "WGAN_GP", "ConditionalWGAN_GP", "Diverged", "InputError", "gradient_penalty"]
