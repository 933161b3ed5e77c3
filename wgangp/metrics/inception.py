"""TensorFlow's Inception-v3 of 2015-12-05, the network of the Inception score and of FID."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F

from wgangp.errors import InputError
from wgangp.metrics.images import add_bias, run_in_batches
from wgangp.metrics.inception_weights import URL, is_complete, read_weights

FEATURES = {"768": "mixed_7", "1280": "mixed_8", "2048": "mixed_10", "probabilities": "mixed_10"}


def resize(x: paddle.Tensor) -> paddle.Tensor:
    """Bilinear resize to 299 x 299 as TensorFlow 1 does it: pixel i of the output is at i size / 299.

    Args:
        x: [n, 3, height, width].

    Source: tf.image.resize_bilinear, align_corners=False.
    """
    return F.interpolate(x, size=[299, 299], mode="bilinear", align_corners=False, align_mode=1)


def average_pool(x: paddle.Tensor) -> paddle.Tensor:
    """3x3 average pool of stride 1 that does not count the padding."""
    return F.avg_pool2d(x, 3, 1, 1, exclusive=True)


class Inception:
    """The network; batch norm is folded into the convolutions, each of which is followed by a ReLU.

    Args:
        arrays: {name: float32 array}, as `read_weights` returns them.

    Source: classify_image_graph_def.pb of inception-2015-12-05.tgz.
    """

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.complete = is_complete(arrays)
        self.weights = {name: paddle.to_tensor(array) for name, array in arrays.items()}

    def conv(
        self,
        x: paddle.Tensor,
        name: str,
        stride: int = 1,
        same: bool = True,
        pool: Callable[[paddle.Tensor], paddle.Tensor] | None = None,
    ) -> paddle.Tensor:
        """Apply a convolution, its bias and a ReLU; `same` pads by half the kernel; `pool` comes before the bias."""
        weight = self.weights[f"{name}/weight"]
        padding = [weight.shape[2] // 2, weight.shape[3] // 2] if same else 0
        x = F.conv2d(x, weight, stride=stride, padding=padding)
        return F.relu_(add_bias(x if pool is None else pool(x), self.weights[f"{name}/bias"]))

    def tower(self, x: paddle.Tensor, name: str, count: int, halve: bool = False) -> paddle.Tensor:
        """Apply `count` convolutions one after another; with `halve` the last has stride 2 and no padding."""
        for i in range(count):
            last = halve and i == count - 1
            x = self.conv(x, f"{name}_{i}" if i else name, stride=2 if last else 1, same=not last)
        return x

    def stem(self, x: paddle.Tensor) -> paddle.Tensor:
        """[n, 3, 299, 299] to [n, 192, 35, 35]."""
        x = self.conv(x, "conv", stride=2, same=False)
        x = self.conv(x, "conv_1", same=False)
        x = F.max_pool2d(self.conv(x, "conv_2"), 3, 2)
        x = self.conv(x, "conv_3")
        return F.max_pool2d(self.conv(x, "conv_4", same=False), 3, 2)

    def mixed(self, x: paddle.Tensor, block: str, count: int, count_1: int) -> paddle.Tensor:
        """Apply a block that keeps the size: a 1x1 convolution, two towers and an average pool.

        The published graph pools before the 1x1 convolution; the other order gives the same sum over fewer channels.
        """
        parts = [
            self.conv(x, f"{block}_conv"),
            self.tower(x, f"{block}_tower_conv", count),
            self.tower(x, f"{block}_tower_1_conv", count_1),
            self.conv(x, f"{block}_tower_2_conv", pool=average_pool),
        ]
        return paddle.concat(parts, axis=1)

    def mixed_3(self, x: paddle.Tensor) -> paddle.Tensor:
        """[n, 288, 35, 35] to [n, 768, 17, 17]."""
        parts = [
            self.tower(x, "mixed_3_conv", 1, halve=True),
            self.tower(x, "mixed_3_tower_conv", 3, halve=True),
            F.max_pool2d(x, 3, 2),
        ]
        return paddle.concat(parts, axis=1)

    def mixed_8(self, x: paddle.Tensor) -> paddle.Tensor:
        """[n, 768, 17, 17] to [n, 1280, 8, 8]."""
        parts = [
            self.tower(x, "mixed_8_tower_conv", 2, halve=True),
            self.tower(x, "mixed_8_tower_1_conv", 4, halve=True),
            F.max_pool2d(x, 3, 2),
        ]
        return paddle.concat(parts, axis=1)

    def mixed_9_or_10(self, x: paddle.Tensor, block: str, pooled: paddle.Tensor) -> paddle.Tensor:
        """To [n, 2048, 8, 8]; both towers end in a 1x3 and a 3x1 side by side."""
        parts = [self.conv(x, f"{block}_conv")]
        for tower, count in (("tower", 1), ("tower_1", 2)):
            y = self.tower(x, f"{block}_{tower}_conv", count)
            parts += [self.conv(y, f"{block}_{tower}_mixed_conv"), self.conv(y, f"{block}_{tower}_mixed_conv_1")]
        parts.append(self.conv(pooled, f"{block}_tower_2_conv"))
        return paddle.concat(parts, axis=1)

    def activations(self, x: paddle.Tensor, last: str) -> dict[str, paddle.Tensor]:
        """The activations of mixed_7, mixed_8 and mixed_10, as far as the layer `last`.

        Args:
            x: [n, 3, 299, 299], -1..1.
            last: "mixed_7", "mixed_8" or "mixed_10".

        Returns:
            {layer: [n, channels, height, width]}.
        """
        x = self.stem(x)
        for block in ("mixed", "mixed_1", "mixed_2"):
            x = self.mixed(x, block, 2, 3)
        x = self.mixed_3(x)
        for block in ("mixed_4", "mixed_5", "mixed_6", "mixed_7"):
            x = self.mixed(x, block, 3, 5)
        layers = {"mixed_7": x}
        if last != "mixed_7":
            layers["mixed_8"] = self.mixed_8(x)
        if last == "mixed_10":
            x = layers["mixed_8"]
            x = self.mixed_9_or_10(x, "mixed_9", average_pool(x))
            # A maximum, unlike in mixed_9: the graph of 2015 has it so.
            layers["mixed_10"] = self.mixed_9_or_10(x, "mixed_10", F.max_pool2d(x, 3, 1, 1))
        return layers

    def check(self, names: Sequence[str]) -> None:
        """Check that features are known and that the weights suffice for them.

        Args:
            names: as of `features`.

        Raises:
            InputError: a name is unknown, the weights end before it, or there is no name.
        """
        if not names:
            raise InputError(f"no feature is named; use {', '.join(FEATURES)}.")
        for name in names:
            if name not in FEATURES:
                raise InputError(f"feature '{name}' is unknown; use one of {', '.join(FEATURES)}.")
            if FEATURES[name] == "mixed_10" and not self.complete:
                raise InputError(
                    f"the Inception weights end at mixed_8, and {name} needs the complete network; get {URL} and "
                    "run wgangp data convert-inception."
                )

    def features(
        self, images: np.ndarray, names: Sequence[str], batch_size: int | None = None, label: str | None = None
    ) -> Iterator[list[np.ndarray]]:
        """The features of images, batch after batch.

        Args:
            images: uint8 [n, 3, height, width].
            names: of "768" (mean over space of mixed_7), "1280" (of mixed_8), "2048" (of mixed_10,
                "pool3") and "probabilities" (of 1,008 classes, by the logits without bias).
            batch_size: images at a time; by default 10 on the CPU, where more is slower, and 100 elsewhere.
            label: of the progress that is shown; None shows none.

        Yields:
            A list of float32 [batch, size], one for each name.

        Raises:
            InputError: the images are not images, or as of `check`.

        Source: inception_score.py of improved-gan, for the probabilities.
        """
        self.check(names)
        last = max((FEATURES[name] for name in names), key=["mixed_7", "mixed_8", "mixed_10"].index)

        def network(x):
            activations = self.activations((resize(x) - 128) / 128, last)
            means = {layer: activation.mean([2, 3]) for layer, activation in activations.items()}
            outputs = [means[FEATURES[name]] for name in names]
            if "probabilities" in names:
                logits = means["mixed_10"] @ self.weights["softmax/weight"].T
                outputs[names.index("probabilities")] = F.softmax(logits)
            return outputs

        batch_size = batch_size or (10 if paddle.get_device() == "cpu" else 100)
        yield from run_in_batches(network, images, batch_size, label)


def load_inception(path: Path | str) -> Inception:
    """Load the network with the weights of a file, partial or complete.

    Args:
        path: of the weights file.

    Raises:
        InputError: the file is missing, truncated or of another network.
    """
    return Inception(read_weights(path))
