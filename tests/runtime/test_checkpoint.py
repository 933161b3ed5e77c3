"""Checkpoints: a damaged one is never taken for a whole one, and no crash leaves none."""

import json
import os
import re

import numpy as np
import paddle
import pytest
from fuzz_arrays import ABOUT, ARRAYS, DAMAGES, changed, entries, repacked, same

from wgangp import WGAN_GP, InputError, network_state
from wgangp.data.toy import Toy
from wgangp.networks.toy import toy_critic, toy_generator
from wgangp.runtime import checkpoint


def new():
    paddle.seed(0)
    return WGAN_GP(toy_generator(8, 2), toy_critic(8, 2))


def train(iterations, path=None):
    gan = new()
    gan.train(Toy("8gaussians"), batch_size=16, iterations=iterations, checkpoint=path, progress=None)
    return np.concatenate([p.numpy().ravel() for p in gan.generator.parameters() + gan.discriminator.parameters()])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.npz"


def test_holds_what_was_written(path):
    checkpoint.write(path, ARRAYS, ABOUT)
    arrays, about = checkpoint.read(path)
    assert same(arrays, ARRAYS) and about == ABOUT


def test_the_home_folder_is_written_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    checkpoint.write("~/c.npz", ARRAYS, ABOUT)
    assert (tmp_path / "c.npz").exists() and same(checkpoint.read("~/c.npz")[0], ARRAYS)


@pytest.mark.parametrize("given", [None, 3, "c.txt"])
def test_what_is_no_checkpoint_s_path_is_refused(given):
    for use in (checkpoint.read, new().load, new().save):
        with pytest.raises(InputError, match="cannot be a checkpoint"):
            use(given)


@pytest.mark.parametrize("offset", [29, 31, 33], ids=["name", "extra field", "comment"])
def test_entry_that_swallows_others_is_noticed(offset, path):
    """Bit 7 of the high byte of a length in a zip's directory: zipfile then reads fewer entries without a word."""
    train(2, path)
    raw = path.read_bytes()
    assert len(entries(raw)) > 40
    for entry in range(len(entries(raw)) - 1):
        path.write_bytes(changed(raw, offset, lambda byte: byte | 128, entry))
        with pytest.raises(InputError, match="not a whole checkpoint"):
            checkpoint.read(path)


@pytest.mark.parametrize("damage", [*DAMAGES.values(), lambda raw: b""], ids=[*DAMAGES, "empty"])
def test_damaged_checkpoint_falls_back_to_the_previous(damage, path, capsys):
    train(2, path), train(4, path)
    path.write_bytes(damage(path.read_bytes()))
    assert (train(6, path) == train(6)).all()
    assert "not a whole checkpoint" in (printed := capsys.readouterr().out) and "Resuming from" in printed
    assert checkpoint.read(path)[1]["iteration"] == 6
    assert checkpoint.read(checkpoint.previous_path(path))[1]["iteration"] == 2  # not the damaged one


def test_moments_swallowed_by_a_comment(path):
    train(2, path), train(4, path)
    raw = path.read_bytes()
    at = next(i for i, start in enumerate(entries(raw)) if raw[start + 46 :].startswith(b"g_optimizer/0/moment1_0.npy"))
    path.write_bytes(changed(raw, 33, lambda byte: byte | 128, at))
    assert (train(6, path) == train(6)).all()


def drop_last_digit(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "change",
    [
        drop_last_digit,
        lambda content: content.replace(b"(4, 3)", b"(3, 4)"),
        lambda content: content.replace(b"<f4", b"<i4"),
    ],
    ids=["digest", "shape", "type"],
)
def test_arrays_with_right_checksums_that_were_not_written(change, path):
    checkpoint.write(path, ARRAYS, ABOUT)
    path.write_bytes(repacked(path.read_bytes(), change, "g_optimizer/0/moment1_0.npy"))
    np.load(path)["g_optimizer/0/moment1_0"]  # a whole npz
    with pytest.raises(InputError, match="its arrays are not those that were written"):
        checkpoint.read(path)


@pytest.mark.parametrize("about", ["[]", "7", "null", "{", "[" * 100_000, '"text"'])
def test_description_of_another_kind(about, path):
    np.savez(path, about=np.array(about))
    with pytest.raises(InputError, match="not a whole checkpoint"):
        checkpoint.read(path)


def test_earlier_version_is_read_with_a_warning(path):
    train(2, path)
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays.pop("about")))
    del about["arrays"]
    np.savez(path, about=np.array(json.dumps(about)), **arrays)
    with pytest.warns(UserWarning, match=r"c\.npz is of an earlier version, without a list of its arrays"):
        resumed = train(4, path)
    assert (resumed == train(4)).all()


class Killed(BaseException):
    pass


def die_before(monkeypatch, call):
    """Raise in place of the call-th rename, link or fsync; how many more there may be is the list's element."""
    left = [call]

    def counted(real):
        def function(*arguments):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return real(*arguments)

        return function

    for name in ("replace", "link", "fsync"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    return left


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("existing", ["nothing", "newest", "both", "previous", "damaged newest", "damaged previous"])
def test_no_crash_leaves_no_checkpoint(existing, links, path, monkeypatch):
    old = checkpoint.previous_path(path)
    for call in range(10):
        path.unlink(missing_ok=True), old.unlink(missing_ok=True)
        if existing != "nothing":
            checkpoint.write(path, ARRAYS, {"iteration": 1})
        if existing not in ("nothing", "newest"):
            checkpoint.write(path, ARRAYS, {"iteration": 2})
        if existing == "previous":
            path.unlink()
        if existing.startswith("damaged"):
            damaged = path if existing == "damaged newest" else old
            damaged.write_bytes(damaged.read_bytes()[:-50])
        before = checkpoint.read_newest(path, say=str)
        with monkeypatch.context() as patch:
            if not links:
                patch.setattr(os, "link", lambda *_: os.readlink("/"))  # OSError, as on a file system without links
            left = die_before(patch, call)
            try:
                checkpoint.write(path, ARRAYS, {"iteration": 3})
            except Killed:
                pass
        after = checkpoint.read_newest(path, say=str)
        allowed = [{"iteration": 3}] if left[0] >= 0 else [{"iteration": 3}, before and before[1]]
        assert (after and after[1]) in allowed
        assert existing == "damaged previous" or not old.exists() or checkpoint.read(old)[1]["iteration"] < 3
        if left[0] >= 0:
            break
    assert call > 2


@pytest.mark.parametrize("name", ["results", "c", "c.ckpt", "results.npz", ""])
def test_no_folder_and_no_other_file_is_moved_away(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("results", "results.npz"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine").touch()
    words = "cannot be a checkpoint: give the path of a new or existing file that ends in .npz"
    with pytest.raises(InputError, match=words):
        new().save(name)
    with pytest.raises(InputError, match=words):  # before it trains
        new().train(Toy("8gaussians"), iterations=10**9, checkpoint=name, progress=None)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["mine", "mine", "results", "results.npz"]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_refused_networks_change_nothing(damage, path):
    new().save(path)
    path.write_bytes(damage(path.read_bytes()))
    gan = WGAN_GP(toy_generator(8, 2), toy_critic(8, 2))
    before = gan.generate(5, seed=1)
    with pytest.raises(InputError, match="not a whole checkpoint"):
        gan.load(path)
    assert (gan.generate(5, seed=1) == before).all()


def test_networks_of_which_one_does_not_fit_change_nothing(path):
    new().save(path)
    gan = WGAN_GP(toy_generator(8, 2), toy_critic(9, 2))
    before = gan.generate(5, seed=1)
    with pytest.raises(InputError, match="does not fit the critic: linears.0.bias"):
        gan.load(path)
    assert (gan.generate(5, seed=1) == before).all()


@pytest.mark.parametrize("kind", ["int32", "complex64", "|S4", "float64"])
def test_weights_of_another_type(kind, path):
    gan = new()
    arrays = {name: array.astype(kind) for name, array in network_state.arrays_of(gan.networks).items()}
    words = re.escape(f"linears.0.bias is {kind} in the file and float32 in the network")
    checkpoint.write(path, arrays, {})
    with pytest.raises(InputError, match=words):
        gan.load(path)
    generator = {name.removeprefix("generator/"): a for name, a in arrays.items() if name.startswith("generator/")}
    if kind == "float64":
        gan.load_generator(generator, path)
        return
    with pytest.raises(InputError, match=words):
        gan.load_generator(generator, path)
