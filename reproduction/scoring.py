"""Measures of samples from files, beside the same measures of real data: `wgangp score`."""

import hashlib
import os
from pathlib import Path

import numpy as np

from wgangp.data import formats, images, toy
from wgangp.data import text as texts
from wgangp.data.fields import Permeability, Vorticity
from wgangp.errors import InputError
from wgangp.metrics import digits
from wgangp.metrics.checks import finite
from wgangp.metrics.evaluator import ImageEvaluator
from wgangp.metrics.fields import compare_fields
from wgangp.metrics.image_scores import Score
from wgangp.metrics.ngram import LanguageEvaluator
from wgangp.metrics.toy import exact_w1, mode_coverage
from wgangp.runtime.files import check_memory, check_no_device, read_npz

FIELDS = ("permeability", "vorticity")
DATA = (*toy.NAMES, "mnist", "cifar10", "lsun_bedroom", *FIELDS, "text")
REAL = 10_000  # images that distances are taken to
FEWEST_IMAGES = 10  # an Inception score has ten splits
MOST_POINTS = 2000  # whose exact distance is taken
BYTES_PER_POINT, BYTES_PER_CELL = 1300, 130  # of memory, while points and fields are measured
MOST_FIELDS, LARGEST_FIELD = 1000, 256  # real ones, each computed, and cells per side


def score(
    path: str | Path, data: str, metrics: list[str] | None = None, real: int | None = None, text: str | None = None
) -> None:
    """Print measures of samples beside those of real data.

    The order of the samples, and of a folder's files, does not matter.

    Args:
        path: what `wgangp generate` writes: an .npy or .npz of one array, a .txt, or a folder of images.
        data: what to compare with, of DATA.
        metrics: of images, as of `score_images`; what the weights allow when None.
        real: real images that distances of images are taken to; REAL when None.
        text: file of the text that "text" means, in the current folder or else in $WGANGP_DATA; the Billion Word corpus
            when None.

    Raises:
        InputError: samples of another kind than the data, or unusable ones.
    """
    path = Path(path)
    if data not in DATA:
        raise InputError(f"--data {data} is unknown; use one of {', '.join(DATA)}.")
    for option, is_given in (("--metric", metrics), ("--real", real is not None)):
        if is_given and data not in ("cifar10", "lsun_bedroom"):
            raise InputError(f"{option} is for images beside cifar10 or lsun_bedroom; leave it out for {data}.")
    if text is not None and data != "text":
        raise InputError(f"--text is for --data text; leave it out for {data}.")
    if data == "text":
        return print_lines(path, text)
    samples = read_samples(path)
    if data in toy.NAMES:
        check_form(path, samples, samples.shape[1:] == (2,), "points in the plane are [n, 2]")
        check_memory(BYTES_PER_POINT * len(samples), f"the measures of the {len(samples):,} points of {path}")
        points = finite(samples, f"{path}: the points", "[n, 2]")
        print_points(in_fixed_order(points), toy.Toy(data))
    elif data in FIELDS:
        fits = samples.ndim == 4 and samples.shape[1:] == (1, samples.shape[2], samples.shape[2])
        check_form(path, samples, fits, "fields are [n, 1, size, size]")
        check_memory(BYTES_PER_CELL * samples.size, f"the measures of the {len(samples):,} fields of {path}")
        print_fields(in_fixed_order(finite(samples, f"{path}: the fields")), data)
    elif data == "mnist":
        if samples.ndim == 4 and samples.shape[1] == 3 and (samples == samples[:, :1]).all():
            samples = samples[:, :1]  # a folder's grey images
        check_images(path, samples, "[n, 1, 28, 28]", samples.shape[1:] == (1, 28, 28))
        print_digits(in_fixed_order(samples))
    else:
        fits = samples.ndim == 4 and samples.shape[1:] == (3, samples.shape[2], samples.shape[2])
        check_images(path, samples, "[n, 3, size, size]", fits)
        print_images(in_fixed_order(samples), data, metrics, REAL if real is None else real)


def read_samples(path: Path) -> np.ndarray:
    """Samples from a file or folder.

    Args:
        path: an .npy, an .npz of one array, or a folder of images.

    Returns:
        An array; uint8 [n, 3, size, size] from a folder.

    Raises:
        InputError: another file, a damaged one, or several arrays in one.
    """
    check_no_device(path)
    if path.is_dir():
        return formats.read_folder(path)
    if path.suffix.lower() in formats.IMAGE_SUFFIXES and path.is_file():
        raise InputError(f"{path} is one image; score a folder of them, or an .npy.")
    try:
        samples = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: no header can claim more than there is
    except Exception as error:  # numpy raises nearly anything for a damaged header
        why = getattr(error, "strerror", None) or " ".join(str(error).split()).removesuffix(".")
        why = "it has no array's header" if "allow_pickle" in why else why
        raise InputError(f"{path} cannot be read as an array (.npy) and is no folder of images: {why}.") from None
    if isinstance(samples, np.ndarray):
        return samples
    arrays = read_npz(path)
    if len(arrays) != 1:
        raise InputError(
            f"{path} has {len(arrays)} arrays ({', '.join(arrays)[:200]}); write the samples alone to an .npy."
        )
    return next(iter(arrays.values()))


def in_fixed_order(samples: np.ndarray) -> np.ndarray:
    """Samples in the order of their digests, which depends on nothing but what they are, and says nothing of it.

    Args:
        samples: [n, ...].
    """
    if not samples.ndim:
        return samples
    digests = [hashlib.sha256(sample.tobytes()).digest() for sample in samples]
    return np.asarray(samples)[sorted(range(len(samples)), key=digests.__getitem__)]


def check_form(path: Path, samples: np.ndarray, fits: bool, form: str) -> None:
    """Refuse samples of another type or shape, or none.

    Args:
        path: their file, for the message.
        samples: an array.
        fits: whether the type and the shape after the first axis are right.
        form: what they should be, for the message.
    """
    if not fits or not samples.size:
        raise InputError(f"{path} is {samples.dtype} {list(samples.shape)}; {form}.")


def check_images(path: Path, samples: np.ndarray, form: str, fits: bool) -> None:
    """As `check_form`, of images, with what may be the mistake."""
    if samples.dtype != np.uint8:
        form += ", 0 to 255: turn other numbers into bytes first"
    elif samples.ndim == 4 and samples.shape[3] in (1, 3):
        form += ": put the channels second, with transpose(0, 3, 1, 2)"
    check_form(path, samples, fits and samples.dtype == np.uint8, f"images are uint8 {form}")
    check_memory(samples.nbytes, f"the {len(samples):,} images of {path}")
    if len(samples) < FEWEST_IMAGES:
        raise InputError(f"{path} has {len(samples)} images; scores need at least {FEWEST_IMAGES}.")


def print_points(points: np.ndarray, data: toy.Toy) -> None:
    """Print the toy measures of points.

    Args:
        points: float64 [n, 2].
        data: a `Toy`.
    """
    rng, n = np.random.default_rng(0), min(len(points), MOST_POINTS)
    real, other = data.sample(n, rng), data.sample(n, rng)
    ours, floor = exact_w1(points[:n], real), exact_w1(other, real)
    print(f"exact W1 to {data.name}  {ours:.4f}  (real against real {floor:.4f}; {n} points each)")
    if data.centers is not None:
        modes, good = mode_coverage(points, data.centers, data.std)
        modes_real, good_real = mode_coverage(real, data.centers, data.std)
        print(f"modes found  {modes} of {len(data.centers)}  (real {modes_real})")
        print(f"share of good samples  {good:.4f}  (real {good_real:.4f})")


def print_images(samples: np.ndarray, data: str, metrics: list[str] | None, real: int) -> None:
    """Print scores of colour images, uint8 [n, 3, size, size]; the arguments are those of `score`.

    Raises:
        InputError: the real images have another size.
    """
    side = samples.shape[-1]
    wanted = (len(samples) + real) * 10 // 9 + 1  # a tenth is for validation
    real_images = images.cifar10() if data == "cifar10" else images.lsun_bedrooms(size=side, count=wanted)
    if (size := real_images.images.shape[-1]) != side:
        raise InputError(f"the images are of {side}x{side} pixels and those of {data} of {size}x{size}; use that size.")
    evaluator = ImageEvaluator(real_images, len(samples), real)
    metrics = metrics or evaluator.metrics
    print(f"{evaluator.protocol}; their figures change with the number of images")
    if evaluator.held_out_protocol != evaluator.protocol:
        print(f"real: {evaluator.held_out_protocol}, since there are no more: not to be compared with the samples'")
    scores = {"samples": evaluator.evaluate(samples, metrics)}
    scores["real"] = evaluator.evaluate(evaluator.held_out, metrics, evaluator.held_out_reference)
    print_scores(scores)


def print_scores(scores: dict[str, dict[str, Score]]) -> None:
    """Print scores, {of what: {metric: (value, standard deviation over splits or None)}}, a line each."""
    for name, of_name in scores.items():
        for metric, (value, spread) in of_name.items():
            print(f"{name:9}{metric:23}{value:.4f}" + (f" ± {spread:.4f} over splits" if spread is not None else ""))


def print_digits(samples: np.ndarray) -> None:
    """Print the digit classifier's measures of digits, uint8 [n, 1, 28, 28], as of the experiment mnist_digits."""
    held_out = images.mnist("validation").images[: len(samples)]
    n = len(held_out)
    train = images.mnist().images[:n]
    print(f"{n}{f' of {len(samples)}' if n < len(samples) else ''} digits against {n} training digits")
    print_scores({"samples": digits.score_digits(samples[:n], train), "real": digits.score_digits(held_out, train)})


def print_fields(samples: np.ndarray, data: str) -> None:
    """Print the distances of fields, float64 [n, 1, size, size], from real ones."""
    size, count = samples.shape[-1], min(len(samples), MOST_FIELDS)
    if size > LARGEST_FIELD:
        raise InputError(f"the fields have {size} cells a side; real ones are drawn of at most {LARGEST_FIELD}.")
    parts = [Permeability(size)] * 2 if data == "permeability" else [Vorticity(size, count, seed) for seed in (1, 2)]
    held_out, other = (part.sample(count, np.random.default_rng([0, i])) for i, part in enumerate(parts))
    print(f"{len(samples)} fields of {size}x{size} against {count} real ones")
    for name, judged in (("samples", samples), ("real", other)):
        distances = compare_fields(judged, held_out, parts[0].periodic, conductivity=data == "permeability")
        for quantity, value in distances.items():
            print(f"{name:9}{quantity:22}{value:.4f}")


def print_lines(path: Path, text: str | None) -> None:
    """Print the n-gram measures of lines of text.

    Args:
        path: a .txt, one line each, or an .npy of bytes [n].
        text: as for `score`.
    """
    real = texts.read(os.path.abspath(text) if text is not None and os.path.exists(text) else text)
    if path.suffix in (".npy", ".npz"):
        lines = read_samples(path)
        check_form(path, lines, lines.dtype.kind == "S" and lines.ndim == 1, "lines of text are bytes [n]")
        check_memory(lines.nbytes + 50 * len(lines), f"the {len(lines):,} lines of {path}")
        own = texts.from_lines(lines.tolist(), path.name)
    else:
        own = texts.read(path.absolute())
    codes = np.full(256, texts.UNKNOWN, "uint8")
    codes[real.characters[1:]] = np.arange(1, real.vocabulary)
    judged = codes[own.characters[own.codes]]
    evaluator = LanguageEvaluator(real, len(judged))
    print(f"{len(judged)} lines against {len(evaluator.train)} training lines of {real.name}")
    for name, lines in (("samples", judged), ("held out", evaluator.held_out), ("unigram", evaluator.unigram)):
        measures = evaluator.evaluate(lines) | {"known_words": evaluator.share_of_known_words(lines)}
        for quantity, value in measures.items():
            print(f"{name:9}{quantity:18}{value:.4f}")
