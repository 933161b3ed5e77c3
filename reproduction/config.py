"""The settings of a run, as `config.yaml` has them, and what every experiment's settings have in common."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import pydantic

from reproduction.job import NoJob
from wgangp import DCGAN, WGAN, WGAN_GP, Callback
from wgangp.gan import BaseGAN


class Config(pydantic.BaseModel):
    """One setting at one tier; each experiment's `run.py` adds its own fields.

    An unknown or ill-typed key in config.yaml is an error that names it.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)
    setting: str
    tier: str

    def digest(self) -> str:
        """sha256 of the settings; a field that was added later counts only where it differs from its default."""
        settings = self.model_dump(exclude_defaults=True)
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class TrainingConfig(Config):
    """A setting that trains a GAN."""

    batch_size: int
    iterations: int
    learning_rate: float  # of both networks
    beta1: float
    beta2: float
    lambda_gp: float

    def train(
        self, gan: BaseGAN, data: Any, seed: int, job: NoJob, callbacks: Sequence[Callback] = (), **options: Any
    ) -> pd.DataFrame:
        """Train a GAN as these settings say; a job that was interrupted goes on from its checkpoint.

        Args:
            gan: what `build` of a run.py returns.
            data: as of `BaseGAN.train`.
            seed: of the run.
            job: says where the checkpoint is, when to stop and how the progress bar is called.
            callbacks: as of `BaseGAN.train`.
            options: of `BaseGAN.train`, what not every experiment sets, such as lr_decay.

        Returns:
            The history, a row per iteration.

        Raises:
            InputError, Diverged, BudgetSpent: as of `BaseGAN.train`.
        """
        settings = {
            "batch_size": self.batch_size,
            "iterations": self.iterations,
            "g_learning_rate": self.learning_rate,
            "d_learning_rate": self.learning_rate,
            "beta1": self.beta1,
            "beta2": self.beta2,
        }
        where = {"checkpoint": job.checkpoint, "deadline": job.deadline, "progress": job.label}
        return gan.train(data, seed=seed, callbacks=list(callbacks), **settings | options | where)


class MethodConfig(TrainingConfig):
    """A setting that trains one of the methods that the paper compares."""

    method: Literal["gp", "clip", "dcgan"]
    critic_iters: int
    c: float  # bound of the clipped weights

    def gan(self, generator: Any, critic: Any) -> BaseGAN:
        """The networks with the method that trains them."""
        if self.method == "gp":
            return WGAN_GP(generator, critic, critic_iters=self.critic_iters, lambda_gp=self.lambda_gp)
        if self.method == "clip":
            return WGAN(generator, critic, critic_iters=self.critic_iters, clip=self.c)
        return DCGAN(generator, critic, critic_iters=self.critic_iters)


def explain(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> str:
    """One sentence from a validation error: the key, what is wrong, the keys there are."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        known = [name for name in model.model_fields if name not in ("setting", "tier")]
        return f"unknown key '{key}'; known keys: {', '.join(known)}."
    if first["type"] == "missing":
        return f"key '{key}' is missing."
    return (f"key '{key}': " if key else "") + f"{first['msg']}, got {first['input']!r}."
