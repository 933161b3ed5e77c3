"""The networks of the cases, from wgangp.networks."""

from omegaconf import DictConfig

from wgangp import InputError
from wgangp.data import toy
from wgangp.networks.cifar import dcgan_critic, dcgan_generator
from wgangp.networks.fields import field_critic, field_generator
from wgangp.networks.mnist import mnist_critic, mnist_generator
from wgangp.networks.toy import toy_critic, toy_generator


def build_networks(cfg: DictConfig):
    """Generator and critic of the case that DATA.name says, MODEL.dim wide.

    Args:
        cfg (DictConfig): Config of the example.

    Returns:
        Two paddle.nn.Layer; the generator's attribute latent_dim is the length of its input.
    """
    name, dim = cfg.DATA.name, cfg.MODEL.dim
    if name in ("permeability", "vorticity"):
        return field_generator(cfg.DATA.size, dim), field_critic(cfg.DATA.size, dim)
    if name in toy.NAMES:
        return toy_generator(dim), toy_critic(dim)
    if name == "mnist":
        return mnist_generator(dim), mnist_critic(dim)
    if name == "cifar10":
        return dcgan_generator(dim), dcgan_critic(dim)
    known = ["permeability", "vorticity", *toy.NAMES, "mnist", "cifar10"]
    raise InputError(f"DATA.name should be in {known}, but got '{name}'")
