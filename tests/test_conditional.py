"""AC-GAN conditioning: the losses recomputed in numpy, and labels that are learned."""

import numpy as np
import paddle
import pytest

import wgangp
from wgangp import losses
from wgangp.data.batches import ScaledImages, as_batches
from wgangp.layers import BatchNorm
from wgangp.networks import cifar


def colours(n, classes=3):
    """Flat images whose colour is their class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=n)
    images = rng.integers(50, 90, size=[n, 3, 32, 32])
    images[np.arange(n), labels % 3] += 128
    return ScaledImages(images.astype("uint8"), "dcgan", labels)


def conditional(dim=4, classes=3):
    paddle.seed(3)
    networks = cifar.ResNetGenerator(dim, classes), cifar.ResNetCritic(dim, classes)
    return wgangp.ConditionalWGAN_GP(*networks, classes=classes, critic_iters=2)


def cross_entropy(logits, labels):
    logits = logits.numpy().astype("float64")
    log_sum = np.log(np.exp(logits).sum(1))
    return (log_sum - logits[np.arange(len(labels)), labels.numpy()]).mean()


def test_critic_s_loss_has_the_cross_entropy_of_the_real_half_alone():
    gan = conditional()
    images, labels = gan.select_samples(as_batches(colours(8), 8, 0)(0))
    with paddle.no_grad():
        fake = gan.draw_fake((images, labels))
        real_scores, logits = gan.discriminator.heads(images)
        wasserstein = (gan.discriminator(fake).mean() - real_scores.mean()).item()
    paddle.seed(4)
    loss, parts = gan.critic_loss((images, labels), fake)
    paddle.seed(4)
    penalty = float(losses.gradient_penalty(gan.discriminator, images, fake))
    assert float(loss) == pytest.approx(wasserstein + 10 * penalty + cross_entropy(logits, labels), rel=1e-5)
    assert float(parts["real_accuracy"]) == pytest.approx((logits.numpy().argmax(1) == labels.numpy()).mean())


class NormalisedCritic(paddle.nn.Layer):
    """Batch norm centres its output: over real and generated samples together, each half would tell of the other."""

    def __init__(self):
        super().__init__()
        self.norm, self.scores, self.labels = BatchNorm(1), paddle.nn.Linear(1, 1), paddle.nn.Linear(1, 2)

    def forward(self, x):
        return self.heads(x)[0]

    def heads(self, x):
        x = self.norm(x)
        return self.scores(x)[:, 0], self.labels(x)


def test_batch_norm_of_a_conditional_critic_does_not_mix_real_and_generated_samples():
    class Generator(paddle.nn.Layer):
        latent_dim = 1

        def forward(self, z, labels):
            return z

    gan = wgangp.ConditionalWGAN_GP(Generator(), NormalisedCritic(), classes=2, allow_batch_norm=True)
    rng = np.random.default_rng(0)
    real, fake = (paddle.to_tensor(rng.normal(mean, 1, [64, 1]).astype("float32")) for mean in (5, -5))
    _, parts = gan.critic_loss((real, paddle.to_tensor(rng.integers(2, size=64))), fake)
    assert float(parts["wasserstein_estimate"]) == pytest.approx(0, abs=1e-4)


def test_generator_s_loss_has_a_tenth_of_the_cross_entropy():
    gan = conditional()
    paddle.seed(4)
    loss = gan.generator_step_loss(12)
    paddle.seed(4)
    labels = gan.random_labels(12)
    with paddle.no_grad():
        scores, logits = gan.discriminator.heads(gan.in_batches([12], paddle.randn([12, 128]), labels)[0])
    assert float(loss) == pytest.approx(-float(scores.mean()) + 0.1 * cross_entropy(logits, labels), rel=1e-5)


def test_generator_steps_draw_labels_uniformly_and_critic_steps_take_the_batch_s():
    gan = conditional()
    real = gan.select_samples(as_batches(colours(8), 8, 0)(0))
    assert np.bincount(gan.random_labels(3000), minlength=3) == pytest.approx(np.full(3, 1000), abs=120)
    given, generator = [], gan.generator
    hook = generator.register_forward_pre_hook(lambda _, arguments: given.append(arguments[1].numpy()))
    gan.draw_fake(real)
    hook.remove()
    np.testing.assert_array_equal(np.concatenate(given), real[1].numpy())


def test_training_learns_the_labels():
    gan = conditional(8)
    history = gan.train(colours(100), batch_size=8, iterations=40, d_learning_rate=3e-3, progress=None)
    assert history["real_accuracy"].iloc[-3:].mean() > 0.9
    assert {"gradient_norm", "class_loss", "fake_accuracy", "generator_loss"} <= set(history)
    a = gan.generate(5, seed=1, labels=[0, 1, 2, 0, 1])
    np.testing.assert_array_equal(a, gan.generate(5, seed=1, labels=np.eye(3)[[0, 1, 2, 0, 1]]))
    assert a.shape == (5, 3, 32, 32)
    np.testing.assert_array_equal(a, gan.generate(5, seed=1, labels=[0, 1, 2, 0, 1]))
    assert np.abs(a - gan.generate(5, seed=1, labels=[1, 1, 2, 0, 1])).max() > 0
    assert gan.generate(9).shape == (9, 3, 32, 32)


class Critic(paddle.nn.Layer):
    """A small critic of points with class logits."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = paddle.nn.Linear(2, 16), paddle.nn.Linear(16, 4)

    def heads(self, x):
        scores, logits = self.out(paddle.nn.functional.leaky_relu(self.hidden(x))).split([1, 3], axis=1)
        return scores.squeeze(1), logits

    def forward(self, x):
        return self.heads(x)[0]


class Generator(paddle.nn.Layer):
    """A small generator of points."""

    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.linear = paddle.nn.Linear(5, 2)

    def forward(self, z, labels):
        return self.linear(paddle.concat([z, paddle.nn.functional.one_hot(labels, 3)], axis=1))


class Pairs(paddle.io.Dataset):
    def __init__(self, points, labels):
        self.points, self.labels = points, labels

    def __len__(self):
        return len(self.points)

    def __getitem__(self, i):
        return self.points[i], self.labels[i]


def test_floating_point_data_with_labels_are_learned_and_resumed(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=300)
    points = np.array([[3, 0], [-3, 3], [0, -3]])[labels] + 0.1 * rng.normal(size=(300, 2))

    def trained(data, iterations=24, **options):
        paddle.seed(0)
        gan = wgangp.ConditionalWGAN_GP(Generator(), Critic(), classes=3, critic_iters=2)
        options |= {"d_learning_rate": 3e-2, "progress": None}
        history = gan.train(data, batch_size=32, iterations=iterations, **options)
        return history["real_accuracy"].to_numpy(), gan.discriminator.out.weight.numpy()

    accuracy, whole = trained((points, labels))
    assert accuracy[-5:].mean() > 0.95
    assert (trained((points, np.eye(3)[labels]))[1] == whole).all() and (
        trained(Pairs(points, labels))[1] == whole
    ).all()
    trained((points, labels), 8, checkpoint=tmp_path / "c.npz")
    assert (trained((points, labels), checkpoint=tmp_path / "c.npz")[1] == whole).all()
    loader = paddle.io.DataLoader(Pairs(points, labels), batch_size=32, shuffle=True, drop_last=True)
    accuracy, whole = trained(loader)
    assert accuracy[-5:].mean() > 0.95
    trained(loader, 8, checkpoint=tmp_path / "d.npz")
    assert (trained(loader, checkpoint=tmp_path / "d.npz")[1] == whole).all()
    for wrong, words in (
        ((points, labels + 1), "labels from 1 to 3; use 0 to 2"),
        (points, "train_data has no labels"),
        (iter([points[:32]]), "batch 0 of train_data has no labels"),
        (iter([(points[:32], labels[:32] + 1)]), "labels from 1 to 3"),
    ):
        with pytest.raises(wgangp.InputError, match=words):
            trained(wrong)


def test_unlabelled_methods_leave_labels_out():
    gan = wgangp.WGAN_GP(cifar.ResNetGenerator(4), cifar.ResNetCritic(4), critic_iters=1)
    assert len(gan.train(colours(20), batch_size=4, iterations=2, progress=None)) == 2


def test_what_does_not_fit_is_refused():
    gan = conditional()
    with pytest.raises(wgangp.InputError, match="no labels"):
        gan.train(np.zeros([8, 3, 32, 32], "float32"), batch_size=8, iterations=1, progress=None)
    with pytest.raises(wgangp.InputError, match="labels from"):
        gan.generate(2, labels=[0, 3])
    with pytest.raises(wgangp.InputError, match="labels from 0 to 4; use 0 to 2"):
        gan.train(colours(100, classes=5), batch_size=8, iterations=1, progress=None)
    with pytest.raises(wgangp.InputError, match="one for each"):
        gan.generate(3, labels=[0, 1])
    with pytest.raises(wgangp.InputError, match="one for each"):
        gan.generate(2, labels=[0, 0.5])
    with pytest.raises(wgangp.InputError, match="classes is 0"):
        wgangp.ConditionalWGAN_GP(Generator(), Critic(), classes=0)
    with pytest.raises(wgangp.InputError, match="class logits"):
        wgangp.ConditionalWGAN_GP(cifar.ResNetGenerator(4, 3), cifar.ResNetCritic(4, 3), classes=2)
    with pytest.raises(wgangp.InputError, match="heads"):
        wgangp.ConditionalWGAN_GP(cifar.ResNetGenerator(4, 3), cifar.dcgan_critic(4), classes=3)
