"""
Reference: https://arxiv.org/abs/1704.00028
"""

import wgangp  # isort: skip (before ppsci: it prepares what Paddle reads when it is first imported)

import sys
from os import path as osp

import hydra
import numpy as np
import ppsci
from omegaconf import DictConfig
from ppsci.utils import logger

from wgangp import paddlescience
from wgangp.data.fields import Permeability, Vorticity
from wgangp.metrics.fields import conductivities
from wgangp.networks.fields import field_critic, field_generator


def real_fields(cfg: DictConfig, part: int, runs: int):
    # part 0 is for training, part 1 is held out; both are of the same law and independent
    if cfg.DATA.name == "permeability":
        return Permeability(cfg.DATA.size)
    if cfg.DATA.name == "vorticity":
        return Vorticity(cfg.DATA.size, runs, seed=part)
    raise wgangp.InputError(f"DATA.name should be in ['permeability', 'vorticity'], but got '{cfg.DATA.name}'")


def build_model(cfg: DictConfig):
    generator = field_generator(cfg.DATA.size, cfg.MODEL.dim, latent_dim=cfg.MODEL.latent_dim)
    return generator, paddlescience.as_arch(generator, cfg.MODEL.input_keys, cfg.MODEL.output_keys)


def build_validator(cfg: DictConfig):
    rng = np.random.default_rng([cfg.seed, 1])
    data = real_fields(cfg, 1, cfg.EVAL.num_fields)
    latent = rng.standard_normal([cfg.EVAL.num_fields, cfg.MODEL.latent_dim], dtype="float32")
    (input_key,), (output_key,) = cfg.MODEL.input_keys, cfg.MODEL.output_keys

    def difference_of_means(output_dict, label_dict, *args):
        return {"difference_of_means": (output_dict[output_key].mean() - label_dict[output_key].mean()).abs()}

    validator = ppsci.validate.SupervisedValidator(
        {
            "dataset": {
                "name": "NamedArrayDataset",
                "input": {input_key: latent},
                "label": {output_key: data.sample(cfg.EVAL.num_fields, rng)},
            },
            "batch_size": cfg.EVAL.batch_size,
            "sampler": {"name": "BatchSampler", "drop_last": False, "shuffle": False},
        },
        ppsci.loss.FunctionalLoss(difference_of_means),
        {output_key: lambda out: out[output_key]},
        metric={
            "fields": paddlescience.field_metric(
                output_key, periodic=data.periodic, conductivity=cfg.DATA.name == "permeability"
            )
        },
        name="held_out",
    )
    return {validator.name: validator}


def train(cfg: DictConfig):
    # set model
    generator, model = build_model(cfg)
    critic = field_critic(cfg.DATA.size, cfg.MODEL.dim)
    gan = wgangp.WGAN_GP(generator, critic, lambda_gp=cfg.METHOD.lambda_gp, critic_iters=cfg.METHOD.critic_iters)

    # initialize solver
    solver = paddlescience.GANSolver(
        model,
        gan,
        real_fields(cfg, 0, cfg.DATA.runs),
        cfg,
        validator=build_validator(cfg),
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
    _, model = build_model(cfg)

    # initialize solver
    validator = build_validator(cfg)
    solver = ppsci.solver.Solver(model, validator=validator, cfg=cfg)

    # evaluate
    solver.eval()

    # post-process: generated fields and, of permeability, the effective conductivities
    (output_key,) = cfg.MODEL.output_keys
    dataset = validator["held_out"].data_loader.dataset
    predicted = solver.predict(dataset.input, batch_size=cfg.EVAL.batch_size, return_numpy=True)
    arrays = {"generated": predicted[output_key], "real": dataset.label[output_key]}
    if cfg.DATA.name == "permeability":
        for name in ("generated", "real"):
            arrays[f"{name}_log10_conductivity"] = values = conductivities(arrays[name])
            logger.message(f"log10 effective conductivity, {name}: {values.mean():.4f} +- {values.std():.4f}")
    np.savez_compressed(osp.join(cfg.output_dir, "fields.npz"), **arrays)
    logger.message(f"Fields are saved to {osp.join(cfg.output_dir, 'fields.npz')}")


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
