"""Random fields: the covariance that is drawn, the flow that is computed, and the symmetries that are used."""

import numpy as np
import pytest
import scipy.fft

from wgangp.data.fields import Flow, Permeability, Vorticity, matern
from wgangp.errors import InputError
from wgangp.metrics.fields import radial_spectrum


def test_matern_has_the_closed_forms():
    d = np.linspace(0, 3, 50)
    assert matern(d, 0.7, 0.5) == pytest.approx(np.exp(-d / 0.7))
    x = np.sqrt(3) * d / 0.7
    assert matern(d, 0.7, 1.5) == pytest.approx((1 + x) * np.exp(-x))
    x = np.sqrt(5) * d / 0.7
    assert matern(d, 0.7, 2.5) == pytest.approx((1 + x + x**2 / 3) * np.exp(-x))


@pytest.mark.parametrize("length, smoothness", [(0.1, 1.0), (0.3, 0.5), (0.25, 1.5)])
def test_the_covariance_that_is_drawn_is_exact(length, smoothness):
    size = 12
    data = Permeability(size, length, smoothness)
    covariance = scipy.fft.fft2(data.scale**2).real[:size, :size]  # of the real part, and of the imaginary part
    lag = np.arange(size) / size
    assert covariance == pytest.approx(matern(np.hypot(lag[:, None], lag), length, smoothness), abs=1e-9)


def test_samples_have_the_covariance_and_are_independent():
    n = 20_000
    fields = Permeability(8, 0.2, 1.5).sample(n, np.random.default_rng(0))
    assert fields.shape == (n, 1, 8, 8) and fields.dtype == np.float32
    x = fields[:, 0].reshape(n, -1).astype("float64")
    row, column = np.divmod(np.arange(64), 8)
    distance = np.hypot(row[:, None] - row, column[:, None] - column) / 8
    error = 5 * np.sqrt(2 / n)  # five standard errors of a variance
    assert np.abs(x.T @ x / n - matern(distance, 0.2, 1.5)).max() < error
    assert np.abs(x.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(x[::2].T @ x[1::2] * 2 / n).max() < error * 2  # real and imaginary parts of one draw


def test_draws_repeat_and_odd_numbers_are_possible():
    data = Permeability(8)
    assert np.array_equal(*(data.sample(3, np.random.default_rng(4)) for _ in range(2)))
    assert data.sha256 == Permeability(8).sha256 != Permeability(8, 0.2).sha256


def test_a_length_that_no_torus_holds_is_refused():
    with pytest.raises(InputError, match="use a shorter length"):
        Permeability(8, length=20.0, smoothness=3.0)


def spectrum_of(flow, function):
    x = np.arange(flow.points) * 2 * np.pi / flow.points
    return scipy.fft.rfft2(function(x[:, None], x)[None])


def test_single_waves_decay_exactly():
    flow = Flow(16, viscosity=0.05)  # (u . grad) w vanishes where all waves have one length
    start = spectrum_of(flow, lambda x, y: np.cos(3 * x) * np.sin(4 * y) + np.cos(5 * y))
    after = flow.advance(start, 0.1, 20)
    assert after == pytest.approx(start * np.exp(-0.05 * 25 * 2.0), abs=1e-5 * np.abs(start).max())


def test_velocity_and_advection_against_derivatives_by_hand():
    flow = Flow(16, viscosity=0.0)

    def vorticity(x, y):  # of the stream function cos(x) sin(2 y) + sin(3 x): -laplace of it
        return 5 * np.cos(x) * np.sin(2 * y) + 9 * np.sin(3 * x) + 0 * y

    def advection(x, y):
        u, v = 2 * np.cos(x) * np.cos(2 * y), np.sin(x) * np.sin(2 * y) - 3 * np.cos(3 * x)
        return -u * (-5 * np.sin(x) * np.sin(2 * y) + 27 * np.cos(3 * x)) - v * 10 * np.cos(x) * np.cos(2 * y)

    got = scipy.fft.irfft2(flow.tendency(spectrum_of(flow, vorticity)), s=(24, 24))[0]
    x = np.arange(24) * 2 * np.pi / 24
    assert got == pytest.approx(advection(x[:, None], x), abs=1e-4)


def test_inviscid_flow_conserves_energy_and_enstrophy_and_changes():
    flow = Flow(16, viscosity=0.0)
    start = Vorticity.initial(flow, 3, np.random.default_rng(0)).astype("complex128")
    after = flow.advance(start, 0.01, 100)
    weight = np.where(flow.ky > 0, 2, 1)
    for quantity in (flow.inverse, 1.0):
        before, now = ((weight * quantity * np.abs(s) ** 2).sum(axis=(1, 2)) for s in (start, after))
        assert now == pytest.approx(before, rel=1e-4)
    assert np.abs(after - start).max() > 0.1 * np.abs(start).max()
    u, v = (scipy.fft.irfft2(part, s=(24, 24)) for part in flow.velocity(start))
    assert (u**2 + v**2).mean(axis=(1, 2)) == pytest.approx(np.ones(3), rel=1e-5)


def test_time_stepping_is_of_fourth_order():
    flow = Flow(16, viscosity=0.02)
    start = Vorticity.initial(flow, 1, np.random.default_rng(1)).astype("complex128")
    exact, coarse, fine = (flow.advance(start, 0.8 / steps, steps) for steps in (320, 20, 40))
    ratio = np.abs(coarse - exact).max() / np.abs(fine - exact).max()
    assert 11 < ratio < 24


def test_snapshots_on_the_smaller_grid_are_the_same_function():
    flow = Flow(16, viscosity=0.0)
    x = np.arange(16) * 2 * np.pi / 16
    grid = flow.to_grid(spectrum_of(flow, lambda x, y: np.cos(7 * x + 2 * y) + np.sin(5 * y - 3 * x)))[0]
    assert grid == pytest.approx(np.cos(7 * x[:, None] + 2 * x) + np.sin(5 * x - 3 * x[:, None]), abs=1e-6)


def test_all_but_the_last_bands_are_those_of_twice_the_resolution():
    coarse, fine = Flow(32, Vorticity.viscosity), Flow(64, Vorticity.viscosity)
    start, h = Vorticity.initial(coarse, 16, np.random.default_rng(0)), 16
    same = np.zeros([16, fine.points, fine.points // 2 + 1], "complex64")
    same[:, :h, :h], same[:, -h:, :h] = 4 * start[:, :h, :h], 4 * start[:, -h:, :h]
    powers = [
        radial_spectrum(flow.to_grid(flow.advance(spectrum, Vorticity.time / steps, steps)))[1][:15]
        for flow, spectrum, steps in ((coarse, start, 80), (fine, same, 160))
    ]
    excess = np.log10(powers[0] / powers[1])
    assert np.abs(excess[:12]).max() < 0.05 and 0.1 < excess[14] < 0.35


def test_larger_fields_have_shorter_steps():
    large = Vorticity(128, 1).fields
    assert large.std() == pytest.approx(1, abs=0.25)


def test_the_symmetries_of_samples_are_the_flows():
    flow = Flow(16, viscosity=0.02)
    field = scipy.fft.irfft2(Vorticity.initial(flow, 1, np.random.default_rng(2)), s=(24, 24))[0]

    def later(field):
        return scipy.fft.irfft2(flow.advance(scipy.fft.rfft2(field[None]), 0.02, 40), s=(24, 24))[0]

    def close(a, b):
        return np.abs(a - b).max() < 1e-3 * np.abs(b).max()

    assert close(later(np.roll(field, 5, axis=1)), np.roll(later(field), 5, axis=1))
    assert close(later(np.rot90(field)), np.rot90(later(field)))
    assert close(later(-field[::-1]), -later(field)[::-1])
    assert not close(later(field[::-1]), later(field)[::-1])


def overlap(a, b):
    """The largest correlation of two periodic fields over all shifts, 1 where one is the other moved."""
    crossed = scipy.fft.ifft2(scipy.fft.fft2(a) * np.conj(scipy.fft.fft2(b))).real
    return crossed.max() / np.sqrt((a**2).sum() * (b**2).sum())


def test_samples_are_the_runs_moved_turned_and_reflected_with_the_sign():
    data = Vorticity(16, 6, seed=3)
    drawn = data.sample(6, np.random.default_rng(0))
    assert drawn.shape == (6, 1, 16, 16) and drawn.dtype == np.float32
    matches = set()
    for field in drawn[:, 0].astype("float64"):
        for run, whole in enumerate(data.fields):
            for reflected, image in enumerate((whole, -whole[::-1])):
                for turn in range(4):
                    if overlap(field, np.rot90(image, turn)) > 1 - 1e-5:
                        matches.add((run, reflected, turn))
    assert len(matches) == 6 and {run for run, _, _ in matches} == set(range(6))
    assert len({reflected for _, reflected, _ in matches}) == 2 and len({turn for _, _, turn in matches}) > 1


def test_an_odd_size_is_refused():
    with pytest.raises(InputError, match="use an even size"):
        Vorticity(15, 2)


def test_other_seeds_are_other_flows_and_more_samples_than_runs_repeat():
    data = Vorticity(16, 6, seed=3)
    assert data.sample(20, np.random.default_rng(0)).shape == (20, 1, 16, 16)
    assert not np.array_equal(data.fields, Vorticity(16, 6, seed=4).fields)
    assert data.fields.mean(axis=(1, 2)) == pytest.approx(np.zeros(6), abs=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Permeability(0), "permeability fields of size 0"),
        (lambda: Permeability(8, length=float("nan")), "correlation length nan "),
        (lambda: Permeability(8, smoothness=-1), "smoothness -1 "),
        (lambda: Vorticity(8, 0), "in 0 runs cannot be computed"),
    ],
)
def test_numbers_out_of_their_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
