"""Trains the digit classifier that scores generated digits: python experiments/mnist_digits/train_classifier.py

Eight minutes on one CPU core; writes wgangp/metrics/digit_classifier.npz (0.4 MB) with the accuracy on the
10,000 held-out digits of the training file.
"""

import numpy as np
import paddle
import paddle.nn.functional as F

from reproduction import results
from wgangp.data.images import mnist
from wgangp.metrics.digits import WEIGHTS, DigitClassifier, classify
from wgangp.runtime import checkpoint
from wgangp.training import seed_everything

EPOCHS, BATCH, SEED = 10, 100, 0


def main():
    train, validation = mnist("train"), mnist("validation")
    seed_everything(SEED)
    classifier = DigitClassifier()
    steps = EPOCHS * (len(train.images) // BATCH)
    rate = paddle.optimizer.lr.CosineAnnealingDecay(2e-3, steps)
    optimizer = paddle.optimizer.Adam(rate, parameters=classifier.parameters())
    for epoch in range(EPOCHS):
        order = np.random.default_rng([SEED, epoch]).permutation(len(train.images))
        shifts = np.random.default_rng([SEED, epoch, 1]).integers(-2, 3, size=(len(order) // BATCH, 2))
        for chosen, shift in zip(order[: len(order) // BATCH * BATCH].reshape(-1, BATCH), shifts, strict=True):
            logits = classifier(paddle.to_tensor(np.roll(train.images[chosen], shift, axis=(2, 3))))
            F.cross_entropy(logits, paddle.to_tensor(train.labels[chosen])).backward()
            optimizer.step()
            optimizer.clear_grad()
            rate.step()
        probabilities = classify(classifier, validation.images)[1]
        accuracy = float((probabilities.argmax(axis=1) == validation.labels).mean())
        print(f"epoch {epoch + 1}: {accuracy:.4f} of the held-out digits", flush=True)
    about = {"held_out_accuracy": accuracy, "data_sha256": train.sha256, "commit": results.code_commit()}
    checkpoint.write(WEIGHTS, {name: value.numpy() for name, value in classifier.state_dict().items()}, about)
    checkpoint.previous_path(WEIGHTS).unlink(missing_ok=True)  # git keeps the one before


if __name__ == "__main__":
    main()
