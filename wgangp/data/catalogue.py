"""The data files that the experiments use: what each is, where it comes from, its hashes, where to look for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wgangp.errors import InputError
from wgangp.runtime import environment


class Missing(InputError):
    """A data file is missing and cannot be downloaded."""


@dataclass(frozen=True)
class File:
    """One file that somebody publishes.

    Attributes:
        name: what the command line calls it.
        file: the publisher's name for it.
        url: where it comes from; None where it is not published in this form.
        known_hash: of that file, "sha256:..." or "md5:...".
        megabytes: its size.
        licence: the publisher's; "none stated" where there is none.
        used_by: the experiments or metrics that use it.
        other_names: of other forms that serve as well (unpacked, converted, a part).
        contents: {hash: description} of what is inside, however it is packed.
        origin: what else there is to know of it.
    """

    name: str
    file: str
    url: str | None
    known_hash: str
    megabytes: float
    licence: str
    used_by: str
    other_names: tuple = ()
    contents: dict = field(default_factory=dict)
    origin: str = ""


def _mnist(name, file, known_hash, megabytes, contents):
    return File(
        name=name,
        file=file + ".gz",
        url=f"https://ossci-datasets.s3.amazonaws.com/mnist/{file}.gz",
        known_hash=known_hash,
        megabytes=megabytes,
        licence="CC BY-SA 3.0",
        used_by="mnist_digits, fig6_critic_loss",
        other_names=(file,),
        contents=contents,
    )


FILES = (
    File(
        name="cifar10",
        file="cifar-10-python.tar.gz",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        known_hash="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        megabytes=170,
        licence="none stated (cite Krizhevsky 2009)",
        used_by="table3_cifar_inception, fig4_cifar_convergence, table2_random_architectures, metrics",
        other_names=("cifar-10-batches-py",),
        contents={
            "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111": "all 50,000 train images",
            "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253": "their labels",
            "40351d587109b95175f43aff81a1287e": "the publisher's test_batch",
            "f167149948fc8fe0b9a76ba86421e987817f98b63761ba9415c5d42664d51f03": "the first 1,000 test images",
            "636a087e604331a0b9dafc94b6e9ade0c9cec72c4400d12473ccdb3e264474c1": "their labels",
        },
    ),
    _mnist(
        "mnist_train_images",
        "train-images-idx3-ubyte",
        "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9.9,
        {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": "all 60,000 digits"},
    ),
    _mnist(
        "mnist_train_labels",
        "train-labels-idx1-ubyte",
        "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        0.03,
        {"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": "all 60,000 labels"},
    ),
    _mnist(
        "mnist_test_images",
        "t10k-images-idx3-ubyte",
        "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1.6,
        {
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": "all 10,000 digits",
            "4d60d61bb2228797c3c094933651b07ba1bf1d79de19377fc1d7c4f17d1cc978": "the first 3,678 digits",
        },
    ),
    _mnist(
        "mnist_test_labels",
        "t10k-labels-idx1-ubyte",
        "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        0.005,
        {
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": "all 10,000 labels",
            "a7df360a33959a6922ba6ae57f9a29d138c43a69e777e6f0fec79af41581848b": "the first 3,678 labels",
        },
    ),
    File(
        name="lsun_bedroom",
        file="bedroom_train_lmdb.zip",
        url="http://dl.yf.io/lsun/scenes/bedroom_train_lmdb.zip",
        known_hash="md5:f2c5d904a82a6295dbdccb322b4b0a99",
        megabytes=43_000,
        licence="none stated (cite Yu et al. 2015)",
        used_by="fig3_arch_robustness, fig5_lsun_samples, fig6_critic_loss",
        other_names=("bedroom_train_lmdb", "lsun_bedroom", "lsun_bedroom_64"),
        contents={
            "a417206873af311d72c066b930a3e0949b2abbff594559234a66a2507f1dc273": "the sample of 10,000 at 64x64 pixels"
        },
        origin="lsun_bedroom is a folder of image files (at least as large as the networks' images), and so is "
        "lsun_bedroom_64, of 64x64 pixels",
    ),
    File(
        name="billion_word",
        file="1-billion-word-language-modeling-benchmark-r13output.tar.gz",
        url="https://www.statmt.org/lm-benchmark/1-billion-word-language-modeling-benchmark-r13output.tar.gz",
        known_hash="sha256:01ba60381110baf7f189dfd2b8374de371e8c9a340835793f190bdae9e90a34e",
        megabytes=1_792,
        licence="none stated (cite Chelba et al. 2013)",
        used_by="table4_language_model",
        other_names=("1-billion-word-language-modeling-benchmark-r13output",),
        origin="unpack it there; any number of its training shards, news.en-000NN-of-00100, will do",
    ),
    File(
        name="billion_word_heldout",
        file="billionword_heldout00.txt",
        url="https://raw.githubusercontent.com/jermp/tongrams/a3662e96a53898a67405e1db6ce864a8dd20dfca/"
        "test_data/sample_text",
        known_hash="sha256:265dccd51762253e20425c21ff6ddf09e6da2e11a365da399b0390eebb2d52c8",
        megabytes=0.8,
        licence="as billion_word",
        used_by="table4_language_model",
        origin="news.en.heldout-00000-of-00050 of the Billion Word benchmark, 6,075 sentences",
    ),
    File(
        name="reuters",
        file="reuters21578_sentences.txt",
        url=None,
        known_hash="sha256:25a028cb67392d79d72d0ef30a923118b48d01ba4861da6f449639014fa24dab",
        megabytes=15,
        licence="Reuters-21578, research only",
        used_by="table4_language_model",
        origin="the article bodies of Reuters-21578 (https://archive.ics.uci.edu/dataset/137), one sentence per line",
    ),
    File(
        name="inception",
        file="pt_inception-2015-12-05-6726825d.pth",
        url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        known_hash="sha256:6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        megabytes=96,
        licence="Apache-2.0",
        used_by="metrics: Inception score, FID, KID",
        other_names=("inception_2015_12_05.npz",),
        origin="inception_2015_12_05.npz is what `wgangp data convert-inception` makes of it",
    ),
    File(
        name="inception_partial",
        file="inception_2015_12_05_to_mixed_8.npz",
        url=None,
        known_hash="sha256:4408f5b39b7b4ac408ff462e9e9a47faa4ae35355ea9114abaf1a49769a4a974",
        megabytes=37,
        licence="Apache-2.0",
        used_by="metrics: fid_768, fid_1280",
        origin="the same network through mixed_8, batch norm folded in (Apple's copy in shu223/iOS-10-Sampler)",
    ),
    File(
        name="cifar10_resnet56",
        file="cifar10_resnet56.npz",
        url=None,
        known_hash="sha256:f222bdf1125caa30541208723397bf1b29cd1c875c2fb8e2afd36d6a2c2e0161",
        megabytes=3.5,
        licence="BSD 2-clause",
        used_by="metrics: classifier_score",
        origin="resnet56 of https://github.com/akamaster/pytorch_resnet_cifar10, its arrays under the same names",
    ),
)
GROUPS = {"mnist": tuple(file.name for file in FILES if file.name.startswith("mnist_"))}


def get_entry(name: str) -> File:
    """The entry of one file.

    Args:
        name: of an entry in FILES.

    Raises:
        InputError: there is no entry of that name.
    """
    for file in FILES:
        if file.name == name:
            return file
    raise InputError(f"data file '{name}' is unknown; use one of {', '.join(file.name for file in FILES)}.")


def expand_groups(names: Iterable[str]) -> list[str]:
    """Replace the names of groups by those of their files.

    Args:
        names: of entries in FILES or GROUPS.

    Returns:
        Names of entries in FILES.
    """
    return [file for name in names for file in GROUPS.get(name, (name,))]


def find(name: str) -> Path | None:
    """Look for a file under any of its names; for the two largest, unpacked forms come before the archive.

    Args:
        name: of an entry in FILES.

    Returns:
        The path, or None.

    Raises:
        InputError: the folder cannot be read.
    """
    file = get_entry(name)
    unpacked_first = name in ("lsun_bedroom", "billion_word")
    names = (*file.other_names, file.file) if unpacked_first else (file.file, *file.other_names)
    folder = environment.data_folder()
    try:
        return next((folder / name for name in names if (folder / name).exists()), None)
    except OSError as error:
        raise InputError(
            f"cannot look for data in {folder}: {error.strerror}; set WGANGP_DATA to a folder that can be read."
        ) from None


def list_shards(path: Path) -> list[Path]:
    """The training shards of the Billion Word corpus.

    Args:
        path: of its unpacked folder.

    Returns:
        Sorted paths.
    """
    return sorted((path / "training-monolingual.tokenized.shuffled").glob("news.en-*-of-00100"))


def locate(name: str) -> Path:
    """The path of a file that must exist.

    Args:
        name: of an entry in FILES.

    Returns:
        The path, under $WGANGP_DATA or ./data.

    Raises:
        Missing: it does not exist.
    """
    path = find(name)
    if path is None:
        raise Missing(missing_message(get_entry(name)))
    return path


def missing_message(file: File, reason: str = "") -> str:
    """The message about a missing file.

    Args:
        file: what is missing.
        reason: why, if fetching it was tried; continues "is not in FOLDER".

    Returns:
        A sentence with the file's name, its URL and where to put it.
    """
    message = f"{file.file} is not in {environment.data_folder()}{reason}; "
    if file.url:
        size = _size(file)
        command = "" if reason else f", or: wgangp data fetch {file.name}"
        return message + f"download it from {file.url} ({size}) and put it there{command}."
    return message + f"it is not published in this form ({file.origin}); put it there."


def _size(file):
    return f"{file.megabytes / 1000:.1f} GB" if file.megabytes >= 1000 else f"{file.megabytes:g} MB"


def list_data() -> str:
    """The text that `wgangp data list` prints: each file, whether it exists, its size, its licence and what uses it."""
    lines = [f"Data in {environment.data_folder()} (set WGANGP_DATA to look elsewhere):"]
    for file in FILES:
        path = find(file.name)
        lines += [
            f"\n{file.name}: {'found, ' + path.name if path else 'missing'}",
            f"  {file.file}, {_size(file)}, licence {file.licence}",
            f"  from {file.url or file.origin}",
            f"  for {file.used_by}",
        ]
        if file.url and file.origin:
            lines.append(f"  {file.origin}")
    return "\n".join(lines)
