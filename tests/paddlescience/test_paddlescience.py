"""The interfaces to PaddleScience, against the real ppsci: what goes through it equals what does not, bit for bit."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import paddle
import pytest
from test_classifier import random_arrays
from test_image_scores import Calls

import wgangp
from reproduction.results import ROOT
from wgangp import WGAN, WGAN_GP, InputError, network_state
from wgangp.data.batches import to_bytes
from wgangp.data.download import file_hash
from wgangp.data.fields import Permeability
from wgangp.metrics import image_scores
from wgangp.metrics.classifier import FILE as CLASSIFIER
from wgangp.metrics.fields import compare_fields
from wgangp.metrics.inception_weights import COMPLETE
from wgangp.networks.fields import field_critic, field_generator
from wgangp.optimizers import Adam

ppsci = pytest.importorskip("ppsci", reason="PaddleScience is not installed (pip install -e .[science])")
import hydra  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

from wgangp import paddlescience  # noqa: E402

N, LATENT = 6, 8
true_eval = ppsci.solver.Solver.eval


def make(method=WGAN_GP, **options):
    paddle.seed(1)
    return method(field_generator(16, 4, latent_dim=LATENT), field_critic(16, 4), **options)


def arch_of(gan):
    return paddlescience.as_arch(gan.generator, ("latent",), ("field",))


def arrays():
    rng = np.random.default_rng(0)
    return rng.standard_normal((N, LATENT), dtype="float32"), Permeability(16).sample(N, rng)


def constraint(loss, name="cst"):
    latent, real = arrays()
    config = {
        "dataset": {"name": "NamedArrayDataset", "input": {"latent": latent}, "label": {"field": real}},
        "batch_size": N,
        "sampler": {"name": "BatchSampler", "drop_last": True, "shuffle": False},
    }
    return {name: ppsci.constraint.SupervisedConstraint(config, loss, {"field": lambda out: out["field"]}, name=name)}


def one_solver_step(gan, loss, network, folder):
    """A step of a plain ppsci Solver whose optimizer has one network's parameters."""
    optimizer = Adam(1e-3, 0.0, 0.9, network.parameters())
    solver = ppsci.solver.Solver(
        arch_of(gan), constraint(loss), str(folder), optimizer, epochs=1, iters_per_epoch=1, device="cpu"
    )
    paddle.seed(5)
    solver.train()
    return optimizer


def weights(gan):
    return {name: value.copy() for name, value in network_state.arrays_of(gan.networks).items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def cleared(gan):
    return all(
        p.grad is None or not p.grad.any() for net in (gan.generator, gan.discriminator) for p in net.parameters()
    )


def test_a_solvers_critic_step_equals_ours(tmp_path):
    theirs, ours = make(), make()
    before = weights(ours)
    one_solver_step(theirs, paddlescience.critic_loss(theirs, "field"), theirs.discriminator, tmp_path)
    assert cleared(theirs)
    latent, real = map(paddle.to_tensor, arrays())
    with paddle.no_grad():
        fake = ours.generator(latent)
    paddle.seed(5)
    ours.critic_step(real, fake, Adam(1e-3, 0.0, 0.9, ours.discriminator.parameters()))
    assert same(weights(theirs), weights(ours))
    changed = {name.split("/")[0] for name, value in weights(ours).items() if not np.array_equal(value, before[name])}
    assert changed == {"critic"}


def test_a_solvers_generator_step_equals_ours(tmp_path, monkeypatch):
    theirs, ours = make(), make()
    before = weights(ours)
    one_solver_step(theirs, paddlescience.generator_loss(theirs, "field"), theirs.generator, tmp_path)
    assert cleared(theirs)
    latent, real = map(paddle.to_tensor, arrays())
    monkeypatch.setattr(ours, "in_batches", lambda *_: [ours.generator(latent)])
    ours.generator_step(len(real), Adam(1e-3, 0.0, 0.9, ours.generator.parameters()))
    assert same(weights(theirs), weights(ours))
    changed = {name.split("/")[0] for name, value in weights(ours).items() if not np.array_equal(value, before[name])}
    assert changed == {"generator"}


def test_the_losses_leave_nothing_in_the_other_network():
    gan = make()
    latent, real = map(paddle.to_tensor, arrays())
    outputs = arch_of(gan)({"latent": latent})
    paddlescience.critic_loss(gan, "field")(outputs, {"field": real})["critic_loss"].backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert all(p.grad is not None for p in gan.discriminator.parameters())
    for parameter in gan.discriminator.parameters():
        parameter.clear_gradient(False)
    paddlescience.generator_loss(gan, "field")(outputs)["generator_loss"].backward()
    assert all(p.grad is not None for p in gan.generator.parameters())
    assert all(p.grad is None and not p.stop_gradient for p in gan.discriminator.parameters())


def test_a_layer_becomes_an_arch_and_back():
    layer = paddle.nn.Linear(3, 4)
    arch = paddlescience.as_arch(layer, ("x", "y", "t"), ("u", "v"))
    assert isinstance(arch, ppsci.arch.Arch) and paddlescience.as_layer(arch) is layer
    x = paddle.rand([5, 3])
    out = arch(dict(zip(("x", "y", "t"), x.split(3, 1), strict=True)))
    assert np.array_equal(paddle.concat([out["u"], out["v"]], 1).numpy(), layer(x).numpy())
    arch.register_input_transform(lambda d: {"x": 2 * d["x"], "y": d["y"], "t": d["t"]})
    arch.register_output_transform(lambda d, out: {"w": out["u"] - d["x"]})
    got = arch({"x": x[:, :1], "y": x[:, 1:2], "t": x[:, 2:]})["w"]
    doubled = layer(x * paddle.to_tensor([2.0, 1.0, 1.0]))[:, :2] - 2 * x[:, :1]
    assert np.allclose(got.numpy(), doubled.numpy(), atol=1e-6)

    mlp = ppsci.arch.MLP(("x", "y"), ("u", "v"), 2, 8)
    layer = paddlescience.as_layer(mlp)
    theirs = mlp({"x": x[:, :1], "y": x[:, 1:2]})
    assert np.array_equal(layer(x[:, :2]).numpy(), paddle.concat([theirs["u"], theirs["v"]], 1).numpy())
    assert paddlescience.as_arch(layer, list(mlp.input_keys), mlp.output_keys) is mlp


def test_archs_of_ppsci_are_trained():
    generator = paddlescience.as_layer(ppsci.arch.MLP(("z1", "z2"), ("x", "y"), 2, 8, "relu"))
    critic = paddlescience.as_layer(ppsci.arch.MLP(("x", "y"), ("score",), 2, 8, "relu"))
    gan = WGAN_GP(generator, critic, latent_dim=2)
    data = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    history = gan.train(data, batch_size=10, iterations=3, progress=None)
    assert np.isfinite(history["critic_loss"]).all() and gan.generate(7).shape == (7, 2)


def test_a_saved_arch_loads(tmp_path):
    gan, other = make(), make()
    for parameter in other.generator.parameters():
        parameter.set_value(parameter + 1)
    one_solver_step(gan, paddlescience.critic_loss(gan, "field"), gan.discriminator, tmp_path)
    saved = str(tmp_path / "checkpoints" / "latest.pdparams")
    solver = ppsci.solver.Solver(arch_of(other), pretrained_model_path=saved, device="cpu")
    latent = paddle.to_tensor(arrays()[0])
    got = solver.predict({"latent": latent}, return_numpy=True)["field"]
    assert np.array_equal(got, gan.generator(latent).numpy())


def train(gan, data):
    options = {"batch_size": 4, "iterations": 3, "g_learning_rate": 1e-3, "d_learning_rate": 1e-3}
    gan.train(data, progress=None, seed=3, **options)
    return weights(gan)


class Again:
    """Batches that can be iterated again."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def test_data_sets_and_constraints_are_train_data():
    real = np.random.default_rng(1).standard_normal((20, 1, 16, 16), dtype="float32")
    named = {"latent": np.zeros((20, 1), "float32")}
    wanted = train(make(critic_iters=2), real)
    for kind in (ppsci.data.dataset.NamedArrayDataset, ppsci.data.dataset.IterableNamedArrayDataset):
        assert same(
            train(make(critic_iters=2), paddlescience.as_train_data(kind(named, {"field": real}), "field")), wanted
        )
        assert same(train(make(critic_iters=2), paddlescience.as_train_data(kind({"field": real}), "field")), wanted)
    own = Again([real[4 * i : 4 * i + 4] for i in range(5)])
    config = {"dataset": {"name": "NamedArrayDataset", "input": named, "label": {"field": real}}, "batch_size": 4}
    batches = ppsci.constraint.SupervisedConstraint(config, ppsci.loss.MSELoss())
    data = paddlescience.as_train_data(batches, "field")
    assert all(np.array_equal(a, b) for a, b in zip(data, own.batches, strict=True))
    assert same(train(make(critic_iters=2), data), train(make(critic_iters=2), own))  # six batches: begun again
    endless = ppsci.data.dataset.ContinuousNamedArrayDataset(lambda: {"x": real[:4]}, lambda _: {"field": real[4:8]})
    assert same(
        train(make(critic_iters=2), paddlescience.as_train_data(endless, "field")),
        train(make(critic_iters=2), Again(own.batches[1:2])),
    )


def config(folder, **changes):
    from ppsci.utils import config as defaults_of

    train = defaults_of.TrainConfig(ema=defaults_of.EMAConfig(), swa=defaults_of.SWAConfig())
    defaults = defaults_of.SolverConfig(TRAIN=train, EVAL=defaults_of.EvalConfig()).model_dump()
    ours = {"output_dir": str(folder), "seed": 3, "log_freq": 2, "device": "cpu"}
    ours["TRAIN"] = {"epochs": 2, "iters_per_epoch": 3, "eval_during_train": True}
    return OmegaConf.merge(defaults, ours, changes)


def validators(metric, latent=None, real=None, key="field", batch_size=4):
    if latent is None:
        latent, real = arrays()  # 6 fields, in two batches
    dataset = {"name": "NamedArrayDataset", "input": {"latent": latent}, "label": {key: real}}
    loss = ppsci.loss.FunctionalLoss(lambda out, label, *_: {"mean": out[key].mean()})
    config = {"dataset": dataset, "batch_size": batch_size}
    expressions = {key: lambda out: out[key]}
    return {"v": ppsci.validate.SupervisedValidator(config, loss, expressions, {"metric": metric}, name="v")}


class Writer:
    """Stands for VisualDL's."""

    def __init__(self):
        self.values = {}

    def add_scalar(self, name, value, step):
        self.values[name, step] = value


@pytest.mark.parametrize("method", [WGAN_GP, WGAN])
def test_the_solver_trains_as_train_does(tmp_path, method):
    data, options = Permeability(16), {"batch_size": 4, "d_learning_rate": 1e-3}
    ours, theirs = make(method), make(method)
    history = ours.train(data, iterations=6, seed=3, progress=None, **options)
    solver = paddlescience.GANSolver(
        arch_of(theirs), theirs, data, config(tmp_path), validators(paddlescience.field_metric("field")), **options
    )
    solver.vdl_writer = Writer()
    assert np.array_equal(solver.train()["critic_loss"], history["critic_loss"])
    assert same(weights(theirs), weights(ours)) and cleared(theirs)
    written = solver.vdl_writer.values
    assert written["train/critic_loss", 4] == history["critic_loss"][3]
    assert {step for name, step in written if name == "train/critic_loss"} == {2, 4, 6}
    assert ("eval/metric/spectrum_error", 2) in written
    saved = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert {"latest.pdparams", "best_model.pdparams"} <= saved


def test_the_solver_goes_on_from_a_checkpoint(tmp_path):
    whole, part, rest = make(), make(), make()
    data, options = Permeability(16), {"batch_size": 4}

    def solver(gan, epochs, **changes):
        changes = {"TRAIN": {"epochs": epochs, "eval_during_train": False, **changes}}
        return paddlescience.GANSolver(arch_of(gan), gan, data, config(tmp_path, **changes), **options)

    whole.train(data, iterations=6, seed=3, progress=None, **options)
    solver(part, 1).train()
    last = solver(rest, 2, checkpoint_path=str(tmp_path / "checkpoint.npz")).train()
    assert same(weights(rest), weights(whole)) and len(last) == 6 and not same(weights(part), weights(whole))


def test_the_best_model_is_the_best_over_all_attempts(tmp_path):
    """Its metric falls, and later rises: what goes on must not take a worse generator for the best."""
    metrics, data = iter([3.0, 1.0, 2.0, 0.5]), Permeability(16)

    def best_after(epochs):
        gan = make()
        metric = ppsci.metric.FunctionalMetric(lambda *_: {"m": next(metrics)})
        changed = config(tmp_path, TRAIN={"epochs": epochs, "iters_per_epoch": 1})
        solver = paddlescience.GANSolver(arch_of(gan), gan, data, changed, validators(metric), batch_size=4)
        solver.train()
        return paddle.load(str(tmp_path / "checkpoints" / "best_model.pdstates"))

    assert best_after(2) == {"metric": 1.0, "epoch": 2}
    assert best_after(3) == {"metric": 1.0, "epoch": 2}
    assert best_after(4) == {"metric": 0.5, "epoch": 4}
    (tmp_path / "checkpoints" / "best_model.pdstates").write_bytes(b"x")
    with pytest.raises(InputError, match="best_model.pdstates cannot be read"):
        best_after(5)


def test_the_same_gan_goes_on_through_the_solver(tmp_path):
    """After a whole training of fewer epochs, and after Ctrl-C."""
    whole, gan = make(), make()
    data, options = Permeability(16), {"batch_size": 4}

    def solver(epochs):
        changes = {"TRAIN": {"epochs": epochs, "eval_during_train": False}}
        return paddlescience.GANSolver(arch_of(gan), gan, data, config(tmp_path, **changes), **options)

    def stop(*_):
        raise KeyboardInterrupt

    whole.train(data, iterations=9, seed=3, progress=None, **options)
    solver(1).train()
    stopped = solver(3)
    stopped._log = stop
    with pytest.raises(KeyboardInterrupt):
        stopped.train()
    assert len(solver(3).train()) == 9 and same(weights(gan), weights(whole))


def test_weights_that_are_not_there_or_of_another_network_are_refused(tmp_path):
    gan = make()
    for parameter in gan.generator.parameters():
        parameter.set_value(parameter + 1)
    path = str(tmp_path / "saved.pdparams")
    paddle.save(arch_of(gan).state_dict(), path)
    for given in (path, path.removesuffix(".pdparams")):
        other = make()
        paddlescience.load_pretrained(arch_of(other), given)
        assert all(
            (a == b).all() for a, b in zip(other.generator.parameters(), gan.generator.parameters(), strict=True)
        )
    wider = paddlescience.as_arch(field_generator(16, 8, latent_dim=LATENT), ("latent",), ("field",))
    (tmp_path / "damaged.pdparams").write_bytes(b"no weights")
    for model, given, told in (
        (wider, path, "does not fit the network: layer"),
        (arch_of(other), None, "no weights are given to evaluate"),
        (arch_of(other), str(tmp_path / "none"), "there is no file .*none.pdparams"),
        (arch_of(other), str(tmp_path / "damaged"), "damaged.pdparams cannot be read"),
    ):
        with pytest.raises(InputError, match=told):
            paddlescience.load_pretrained(model, given)
    with pytest.raises(InputError, match="does not fit the network"):
        changes = {"TRAIN": {"eval_during_train": False, "pretrained_model_path": path}}
        wide = WGAN_GP(wider.layer, field_critic(16, 4))
        paddlescience.GANSolver(wider, wide, None, config(tmp_path, **changes))


def test_field_metrics_through_ppsci_equal_ours(tmp_path):
    gan = make()
    metric = paddlescience.field_metric("field", periodic=False, conductivity=True)
    solver = ppsci.solver.Solver(arch_of(gan), output_dir=str(tmp_path), validator=validators(metric), device="cpu")
    first, groups = solver.eval()
    latent, real = arrays()
    with paddle.no_grad():
        fake = np.concatenate([gan.generator(paddle.to_tensor(part)).numpy() for part in (latent[:4], latent[4:])])
    wanted = compare_fields(fake, real, periodic=False, conductivity=True)
    assert groups["metric"] == wanted and first == wanted["spectrum_error"]


def test_image_metrics_through_ppsci_equal_ours(tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    np.savez(tmp_path / CLASSIFIER, **random_arrays())
    (tmp_path / COMPLETE).write_bytes(b"complete")  # stands for the Inception network's weights
    monkeypatch.setattr(image_scores, "load_inception", lambda path: Calls(True))
    record = {"weights_sha256": file_hash(tmp_path / COMPLETE), "mean": 11.24, "std": 0.1, "passed": True}
    (tmp_path / "cache" / f"calibration_{record['weights_sha256'][:16]}.json").write_text(json.dumps(record))
    names = ("inception_score", "fid_768", "classifier_score")

    paddle.seed(2)
    generator = field_generator(32, 2, channels=3, latent_dim=LATENT)
    latent = np.random.default_rng(0).standard_normal((24, LATENT), dtype="float32")
    real = np.random.default_rng(1).integers(0, 256, size=(24, 3, 32, 32)).astype("uint8")
    metric = paddlescience.image_metric(names, tmp_path, "image", "dcgan")
    solver = ppsci.solver.Solver(
        paddlescience.as_arch(generator, ("latent",), ("image",)),
        output_dir=str(tmp_path),
        validator=validators(metric, latent, real, "image", batch_size=24),
        device="cpu",
    )
    groups = solver.eval()[1]
    images = to_bytes(generator(paddle.to_tensor(latent)).numpy(), "dcgan")
    wanted = image_scores.score_images(images, names, tmp_path, real=real)
    assert groups["metric"] == {name: wanted[name][0] for name in names} and len(set(groups["metric"].values())) == 3


@pytest.fixture
def prim():
    core = paddle.framework.core
    core.set_prim_eager_enabled(True)
    yield
    core.set_prim_eager_enabled(False)


def test_prim_is_refused(tmp_path, prim):
    core = paddle.framework.core
    core.set_prim_eager_enabled(False)
    gan = make()
    loss = paddlescience.critic_loss(gan, "field")
    latent, real = map(paddle.to_tensor, arrays())
    outputs = arch_of(gan)({"latent": latent})
    with pytest.raises(InputError, match="prim: true gives wrong second derivatives"):
        paddlescience.GANSolver(arch_of(gan), gan, real, config(tmp_path, prim=True))
    core.set_prim_eager_enabled(True)
    for attempt in (
        lambda: loss(outputs, {"field": real}),
        lambda: paddlescience.critic_loss(gan, "field"),
        lambda: paddlescience.GANSolver(arch_of(gan), gan, real, config(tmp_path)),
        make,
    ):
        with pytest.raises(InputError, match="prim mode is on and gives wrong second derivatives"):
            attempt()


def test_what_cannot_be_used_is_refused(tmp_path):
    gan = make()
    for changes, told in (
        ({"use_amp": True}, "use_amp is True"),
        ({"to_static": True}, "to_static is True"),
        ({"TRAIN": {"update_freq": 2}}, "TRAIN.update_freq is 2"),
        ({"TRAIN": {"ema": {"use_ema": True}}}, "TRAIN.ema is on"),
        ({"TRAIN": {"iters_per_epoch": -1}}, "TRAIN.iters_per_epoch is -1"),
        ({"TRAIN": {"eval_freq": 0}}, "TRAIN.eval_freq is 0"),
        ({}, "eval_during_train is on without a validator"),
        ({"TRAIN": {"eval_during_train": False, "checkpoint_path": "none.npz"}}, "there is no checkpoint none.npz"),
    ):
        with pytest.raises(InputError, match=told):
            paddlescience.GANSolver(arch_of(gan), gan, None, config(tmp_path, **changes))
    with pytest.raises(InputError, match="the model is not the GAN's generator"):
        paddlescience.GANSolver(arch_of(make()), gan, None, config(tmp_path, TRAIN={"eval_during_train": False}))
    with pytest.raises(InputError, match="give a tuple of names"):
        paddlescience.as_arch(gan.generator, "latent", ("field",))
    with pytest.raises(InputError, match="give a paddle.nn.Layer"):
        paddlescience.as_arch(len, ("latent",), ("field",))
    with pytest.raises(InputError, match="give a ppsci.arch.Arch"):
        paddlescience.as_layer(gan.generator)
    named = ppsci.data.dataset.NamedArrayDataset({"x": np.zeros((4, 1))}, {"y": np.zeros((4, 1))})
    with pytest.raises(InputError, match="there is no 'field' in the data; there are: x, y"):
        paddlescience.as_train_data(named, "field")
    with pytest.raises(InputError, match="give a data set or a constraint"):
        paddlescience.as_train_data([1], "field")


EXAMPLE = ROOT / "examples" / "wgan_gp"
SMALL = ["DATA.size=16", "DATA.runs=8", "MODEL.dim=4", "EVAL.num_samples=16"]
SHORT = ["TRAIN.epochs=1", "TRAIN.iters_per_epoch=2", "TRAIN.batch_size=4", "TRAIN.eval_freq=1", "log_freq=1"]


@pytest.mark.parametrize(
    "case, overrides, metrics",
    [
        ("wgan_gp", ["DATA.name=vorticity"], {"spectrum_error", "correlation_error", "density_distance"}),
        ("wgangp_toy", [], {"exact_w1", "modes", "good_share"}),
        ("wgangp_mnist", [], {"digit_frechet_distance", "digit_score", "classes_found"}),
        ("wgangp_cifar10", [], {"frechet_pixels", "precision_pixels", "recall_pixels"}),
    ],
)
def test_every_case_of_the_example_runs(tmp_path, monkeypatch, case, overrides, metrics):
    monkeypatch.setenv("WGANGP_DATA", str(tmp_path))  # embedded images
    monkeypatch.setenv("WGANGP_OFFLINE", "1")
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.syspath_prepend(EXAMPLE)
    script = importlib.import_module("wgan_gp")
    evaluated = []
    monkeypatch.setattr(
        ppsci.solver.Solver, "eval", lambda self, *_: evaluated.append(true_eval(self)) or evaluated[-1]
    )
    with hydra.initialize_config_dir(str(EXAMPLE / "conf"), version_base=None):
        cfg = hydra.compose(case, [*SMALL, *SHORT, *overrides, f"output_dir={tmp_path}"])
        script.train(cfg)
        saved = tmp_path / "checkpoints" / "latest.pdparams"
        cfg = OmegaConf.merge(cfg, {"mode": "eval", "EVAL": {"pretrained_model_path": str(saved)}})
        script.evaluate(cfg)
        with pytest.raises(InputError, match="latest.pdparams does not fit the network"):
            script.evaluate(OmegaConf.merge(cfg, {"MODEL": {"dim": 8}}))
    results = [groups["metric"] for _, groups in evaluated]
    assert len(results) == 3 and set(results[0]) == metrics  # in training, at its end, and of what was saved
    assert results[0] == results[1] == results[2]


def example(folder, *arguments):
    command = [sys.executable, str(EXAMPLE / "wgan_gp.py"), *SMALL]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=folder, env=environment)


def test_the_example_trains_and_evaluates(tmp_path):
    trained = example(tmp_path, "mode=train", *SHORT)
    assert trained.returncode == 0, trained.stderr
    (saved,) = tmp_path.rglob("latest.pdparams")
    assert "MODEL.dim=4" in str(saved)  # which the quotes are for
    evaluated = example(tmp_path, "mode=eval", f"EVAL.pretrained_model_path='{saved}'")
    assert evaluated.returncode == 0, evaluated.stderr

    def last(told):  # the last evaluation's metrics
        return [line for line in told.splitlines() if "[Avg]" in line][-1].split("[Avg]")[1]

    assert last(trained.stdout) == last(evaluated.stdout) and "spectrum_error" in last(trained.stdout)
    samples = np.load(*tmp_path.rglob("samples.npz"))
    assert samples["generated"].shape == samples["real"].shape == (16, 1, 16, 16)
    assert samples["real_log10_conductivity"].shape == (16,)


def test_the_commands_of_both_pages_are_the_same_and_composed():
    commands = [
        re.findall(r"^    python wgan_gp.py (.+)$", (ROOT / f"docs/{language}/examples/wgan_gp.md").read_text(), re.M)
        for language in ("en", "zh")
    ]
    assert commands[0] == commands[1] and len(commands[0]) == 8
    with hydra.initialize_config_dir(str(EXAMPLE / "conf"), version_base=None):
        for command in commands[0]:
            overrides = shlex.split(command)
            name = "wgan_gp"
            if overrides[0].startswith("--config-name="):
                name = overrides.pop(0).removeprefix("--config-name=")
            assert hydra.compose(name, overrides).mode in command


@pytest.mark.parametrize(
    "arguments, words",
    [(["mode=train", "prim=true"], "prim: true gives wrong"), (["mode=eval"], "no weights are given to evaluate")],
)
def test_the_example_tells_in_one_sentence_what_is_wrong(tmp_path, arguments, words):
    told = example(tmp_path, *arguments)
    assert told.returncode == 1 and told.stderr.strip().splitlines()[-1].startswith(f"wgan_gp.py: {words}")
    assert "Traceback" not in told.stderr


def test_only_this_module_imports_ppsci():
    own = {path for path in (ROOT / "wgangp").rglob("*.py") if "import ppsci" in path.read_text()}
    assert {path.name for path in own} == {"paddlescience.py"}
    told = subprocess.run(
        [sys.executable, "-c", "import sys, wgangp, reproduction.__main__; print('ppsci' in sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert told.stdout.strip() == "False" and wgangp.__all__


def test_the_code_of_the_documentation_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    real = np.tile(arrays()[1], (11, 1, 1, 1))
    latent = np.random.default_rng(0).standard_normal((len(real), 128), dtype="float32")
    given = {"generator": field_generator(16, 4), "critic": field_critic(16, 4), "data": Permeability(16)}
    given |= {
        "cfg": config(tmp_path, TRAIN={"eval_during_train": False}),
        "validator": None,
        "latent": latent,
        "real": real,
        "ppsci": ppsci,
    }
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "paddlescience.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "paddlescience.md", "exec"), given)
    assert (tmp_path / "checkpoints" / "latest.pdparams").exists() and cleared(given["gan"])
