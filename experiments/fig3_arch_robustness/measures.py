"""When a cell counts as trained."""


def has_trained(scores, untrained, real, distance, recall):
    """Whether a generator counts as trained; NaN never does.

    Args:
        scores, untrained, real: of the generator, of the generator before training and of real images, as from
            `ImageEvaluator.evaluate`.
        distance, recall: names of the two metrics that it goes by.

    Returns:
        Whether distance <= (real + untrained) / 2 and recall >= real / 4.
    """
    half_way = (real[distance][0] + untrained[distance][0]) / 2
    return scores[distance][0] <= half_way and scores[recall][0] >= real[recall][0] / 4
