"""One training iteration of WGAN-GP as the usual PyTorch ports write it: five critic steps and a generator step."""

import torch
import torch.nn.functional as F
from models import CRITIC_ITERS, LAMBDA
from torch import nn

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def mlp(sizes):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class TorchBlock(nn.Module):
    """Residual block of the usual port, with upsampling or mean pooling written out."""

    def __init__(self, before, after, resample, norm=False, first=False):
        super().__init__()
        middle = after if first or resample == "up" else before
        self.resample, self.first = resample, first
        self.norm1, self.norm2 = (nn.BatchNorm2d(n) if norm else nn.Identity() for n in (before, middle))
        self.conv1, self.conv2 = nn.Conv2d(before, middle, 3, padding=1), nn.Conv2d(middle, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if resample else nn.Identity()

    def forward(self, x):
        up, down = self.resample == "up", self.resample == "down"
        y = x if self.first else F.relu(self.norm1(x))
        y = self.conv1(F.interpolate(y, scale_factor=2) if up else y)
        y = self.conv2(F.relu(self.norm2(y)))
        if self.first:
            shortcut = self.shortcut(F.avg_pool2d(x, 2))
        else:
            shortcut = self.shortcut(F.interpolate(x, scale_factor=2) if up else x)
            shortcut = F.avg_pool2d(shortcut, 2) if down else shortcut
        return shortcut + (F.avg_pool2d(y, 2) if down else y)


class TorchResNetGenerator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim, self.linear = dim, nn.Linear(128, 16 * dim)
        self.blocks = nn.Sequential(*(TorchBlock(dim, dim, "up", norm=True) for _ in range(3)))
        self.norm, self.conv = nn.BatchNorm2d(dim), nn.Conv2d(dim, 3, 3, padding=1)

    def forward(self, z):
        x = self.blocks(self.linear(z).view(-1, self.dim, 4, 4))
        return torch.tanh(self.conv(F.relu(self.norm(x))))


class TorchResNetCritic(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.blocks = nn.Sequential(
            TorchBlock(3, dim, "down", first=True),
            TorchBlock(dim, dim, "down"),
            TorchBlock(dim, dim, None),
            TorchBlock(dim, dim, None),
        )
        self.score = nn.Linear(dim, 1)

    def forward(self, x):
        return self.score(F.relu(self.blocks(x)).mean((2, 3))).view(-1)


class TorchDCGANGenerator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim, self.linear, self.norm = dim, nn.Linear(128, 64 * dim), nn.BatchNorm1d(64 * dim)
        self.deconvs = nn.Sequential(
            nn.ConvTranspose2d(4 * dim, 2 * dim, 5, 2, 2, 1),
            nn.BatchNorm2d(2 * dim),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * dim, dim, 5, 2, 2, 1),
            nn.BatchNorm2d(dim),
            nn.ReLU(),
            nn.ConvTranspose2d(dim, 3, 5, 2, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.deconvs(F.relu(self.norm(self.linear(z))).view(-1, 4 * self.dim, 4, 4))


class TorchDCGANCritic(nn.Module):
    def __init__(self, dim):
        super().__init__()
        layers = []
        for before, after in ((3, dim), (dim, 2 * dim), (2 * dim, 4 * dim)):
            layers += [nn.Conv2d(before, after, 5, 2, 2), nn.LeakyReLU(0.2)]
        self.convs, self.score = nn.Sequential(*layers), nn.Linear(64 * dim, 1)

    def forward(self, x):
        return self.score(self.convs(x).flatten(1)).view(-1)


NETWORKS = {
    "toy": lambda dim: (mlp([2, dim, dim, dim, 2]), mlp([2, dim, dim, dim, 1])),
    "Figure 3": lambda dim: (TorchDCGANGenerator(dim), TorchDCGANCritic(dim)),
    "Table 3": lambda dim: (TorchResNetGenerator(dim), TorchResNetCritic(dim)),
}


def iteration_of(model):
    """A function that trains one iteration.

    Args:
        model: a `models.Model`.
    """
    generator, critic = (network.to(DEVICE) for network in NETWORKS[model.name](model.dim))
    rate, *betas = model.adam
    options = {"lr": rate, "betas": betas, "capturable": DEVICE == "cuda"}
    g_optimizer = torch.optim.Adam(generator.parameters(), **options)
    d_optimizer = torch.optim.Adam(critic.parameters(), **options)
    data = torch.from_numpy(model.data()).to(DEVICE)
    latent_dim = 128 if model.scaling else 2

    def draw_real():
        real = data[torch.randint(len(data), (model.batch,), device=DEVICE)]
        if model.scaling:
            real = 2 * (real.float() / 256 - 0.5)
        return real + torch.rand_like(real) / 128 if model.scaling == "resnet" else real

    def critic_step():
        real = draw_real()
        with torch.no_grad():
            fake = generator(torch.randn(model.batch, latent_dim, device=DEVICE))
        alpha = torch.rand(model.batch, *[1] * (real.ndim - 1), device=DEVICE)
        x = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        scores = critic(x)
        (gradient,) = torch.autograd.grad(scores, x, torch.ones_like(scores), create_graph=True)
        penalty = ((gradient.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + LAMBDA * penalty
        d_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        d_optimizer.step()

    def iteration():
        for parameter in critic.parameters():
            parameter.requires_grad_(False)
        g_optimizer.zero_grad(set_to_none=True)
        (-critic(generator(torch.randn(model.generator_batch, latent_dim, device=DEVICE))).mean()).backward()
        g_optimizer.step()
        for parameter in critic.parameters():
            parameter.requires_grad_(True)
        for _ in range(CRITIC_ITERS):
            critic_step()

    return iteration


def captured(iteration):
    """The same as a CUDA graph."""
    if DEVICE == "cpu":
        return iteration
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            iteration()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        iteration()
    return graph.replay
