"""
Reference: https://arxiv.org/abs/1704.00028
"""

import wgangp  # isort: skip (before ppsci: it prepares what Paddle reads when it is first imported)

import sys
from os import path as osp

import hydra
import numpy as np
import ppsci
from function import build_validator, load_case
from model import build_networks
from omegaconf import DictConfig
from ppsci.utils import logger

from wgangp import paddlescience
from wgangp.metrics.fields import conductivities


def train(cfg: DictConfig):
    # set networks; the solver's model is the generator
    generator, critic = build_networks(cfg)
    model = paddlescience.as_arch(generator, cfg.MODEL.input_keys, cfg.MODEL.output_keys)
    gan = wgangp.WGAN_GP(generator, critic, lambda_gp=cfg.METHOD.lambda_gp, critic_iters=cfg.METHOD.critic_iters)

    # set data and validator
    case = load_case(cfg)
    validator = build_validator(cfg, case, generator.latent_dim)

    # initialize solver
    solver = paddlescience.GANSolver(
        model,
        gan,
        case.train_data,
        cfg,
        validator=validator,
        batch_size=cfg.TRAIN.batch_size,
        g_learning_rate=cfg.TRAIN.learning_rate,
        d_learning_rate=cfg.TRAIN.learning_rate,
        beta1=cfg.TRAIN.beta1,
        beta2=cfg.TRAIN.beta2,
        lr_decay=cfg.TRAIN.lr_decay,
    )

    # train model
    solver.train()

    # evaluate after finished training
    solver.eval()


def evaluate(cfg: DictConfig):
    # set model
    generator, _ = build_networks(cfg)
    model = paddlescience.as_arch(generator, cfg.MODEL.input_keys, cfg.MODEL.output_keys)
    paddlescience.load_pretrained(model, cfg.EVAL.pretrained_model_path)

    # set data and validator
    case = load_case(cfg)
    validator = build_validator(cfg, case, generator.latent_dim)

    # initialize solver
    solver = ppsci.solver.Solver(model, validator=validator, cfg=cfg)

    # evaluate
    solver.eval()

    # post-process: generated samples and, of permeability, the effective conductivities
    latent = validator["held_out"].data_loader.dataset.input
    (output_key,) = cfg.MODEL.output_keys
    generated = solver.predict(latent, batch_size=cfg.EVAL.batch_size, return_numpy=True)[output_key]
    arrays = {"generated": generated, "real": case.held_out}
    if cfg.DATA.name == "permeability":
        for name in ("generated", "real"):
            arrays[f"{name}_log10_conductivity"] = values = conductivities(arrays[name])
            logger.message(f"log10 effective conductivity, {name}: {values.mean():.4f} +- {values.std():.4f}")
    save_path = osp.join(cfg.output_dir, "samples.npz")
    np.savez_compressed(save_path, **arrays)
    logger.message(f"Samples are saved to {save_path}")


@hydra.main(version_base=None, config_path="./conf", config_name="wgan_gp.yaml")
def main(cfg: DictConfig):
    try:
        paddlescience.refuse(cfg)
        if cfg.mode == "train":
            train(cfg)
        elif cfg.mode == "eval":
            evaluate(cfg)
        else:
            raise wgangp.InputError(f"cfg.mode should be in ['train', 'eval'], but got '{cfg.mode}'")
    except wgangp.InputError as error:
        sys.exit(f"wgan_gp.py: {error}")


if __name__ == "__main__":
    main()
