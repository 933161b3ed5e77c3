"""Many images as one picture."""

import numpy as np


def tile(images: np.ndarray, columns: int) -> np.ndarray:
    """One picture of many, row by row.

    Args:
        images: uint8 [n, channels, height, width].
        columns: images per row; the last row may be short.

    Returns:
        uint8 [rows * height, columns * width] or with 3 channels last.
    """
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    page = np.full((rows * columns, channels, height, width), 255, "uint8")
    page[:n] = images
    page = page.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    page = page.reshape(rows * height, columns * width, channels)
    return page[:, :, 0] if channels == 1 else page
