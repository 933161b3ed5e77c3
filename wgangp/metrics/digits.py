"""A small classifier of MNIST digits, by whose probabilities and features generated digits are scored."""

from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from wgangp.metrics.scores import frechet_distance, gaussian, inception_score
from wgangp.runtime.files import check_floats, largest_size, read_npz

WEIGHTS = Path(__file__).with_name("digit_classifier.npz")


class DigitClassifier(nn.Layer):
    """Two convolutions with pools and two linear layers; right on 99 % of held-out digits (train_classifier.py).

    Shapes: uint8 [n, 1, 28, 28] to logits [n, 10].
    """

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2D(1, 16, 3, padding=1), nn.Conv2D(16, 32, 3, padding=1)
        self.hidden, self.last = nn.Linear(32 * 7 * 7, 64), nn.Linear(64, 10)

    def features(self, images: paddle.Tensor) -> paddle.Tensor:
        """The activations of the hidden layer.

        Args:
            images: uint8 [n, 1, 28, 28].

        Returns:
            [n, 64].
        """
        x = images.astype("float32") / 255 - 0.5
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return F.relu(self.hidden(x.reshape([x.shape[0], -1])))

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        return self.last(self.features(images))


def load_classifier(path: Path | str = WEIGHTS) -> DigitClassifier:
    """Load the trained classifier.

    Args:
        path: of its weights.

    Raises:
        InputError: the file is missing, damaged or of another network.
    """
    classifier = DigitClassifier()
    shapes = {name: tuple(value.shape) for name, value in classifier.state_dict().items()}
    arrays = read_npz(path, largest_size(shapes))
    arrays = check_floats(arrays, shapes, f"{path} is not the digit classifier", "get it again")
    classifier.set_state_dict({name: array.astype("float32", copy=False) for name, array in arrays.items()})
    return classifier


def classify(classifier: DigitClassifier, images: np.ndarray, batch_size: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """The features and class probabilities of digits.

    Args:
        classifier: such as of `load_classifier`.
        images: uint8 [n, 1, 28, 28].
        batch_size: images at a time.

    Returns:
        float32 [n, 64] and [n, 10].
    """
    features, probabilities = [], []
    with paddle.no_grad():
        for start in range(0, len(images), batch_size):
            batch = classifier.features(paddle.to_tensor(images[start : start + batch_size]))
            features.append(batch.numpy())
            probabilities.append(F.softmax(classifier.last(batch)).numpy())
    return np.concatenate(features), np.concatenate(probabilities)


def score_digits(images: np.ndarray, real: np.ndarray) -> dict[str, tuple[float, float | None]]:
    """Score digits by the classifier.

    Args:
        images: uint8 [n, 1, 28, 28], n at least 10.
        real: those that the distance is taken to, uint8 [m, 1, 28, 28], m at least 2.

    Returns:
        {name: (value, standard deviation over ten splits or None)}: digit_frechet_distance, of the 64 features;
        digit_score, the Inception score's formula over the ten probabilities, 10 at best; classes_found, how many
        classes have a digit.

    Raises:
        InputError: there are too few digits.
    """
    classifier = load_classifier()
    (features, probabilities), (real_features, _) = (classify(classifier, digits) for digits in (images, real))
    return {
        "digit_frechet_distance": (frechet_distance(gaussian(features), gaussian(real_features)), None),
        "digit_score": inception_score(probabilities),
        "classes_found": (len(np.unique(probabilities.argmax(axis=1))), None),
    }
