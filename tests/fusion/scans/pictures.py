"""Plain display pictures of boxes, drawn in a millisecond."""

import cv2
import numpy as np

AIR, WALL, RAIL, DECK = 0, 18, 90, 200


def box_picture(
    *, load: float = 0.0, size=(120, 500), air_px: int = 30, seed: int = 1, gamma: float = 1.0
) -> np.ndarray:
    """(rows, columns) grey of a 40 ft box with air about it; the lower part of it is loaded.

    load   share of the height
    air_px  around the box
    """
    random = np.random.default_rng(seed)
    rows, columns = size
    dark = np.full(size, WALL, np.float64)
    dark += 5.0 * ((np.arange(columns) // 4) % 2)
    dark[:3] = RAIL
    dark[-8:-4] = DECK
    dark[-4:] = 60
    dark[:, :5] = dark[:, -5:] = RAIL
    top = round((1.0 - load) * (rows - 12))
    dark[top : rows - 8, 12 : columns - 60] = 150 if load else WALL
    dark = np.pad(dark, air_px, constant_values=AIR)
    grey = 255.0 * np.clip(1.0 - dark / 230.0, 0.0, 1.0) ** gamma
    grey = np.clip(grey * 0.92 + random.normal(0.0, 1.5, grey.shape), 0, 255)
    return grey.astype(np.uint8)


def framed(picture: np.ndarray, level: int, width: int = 25) -> np.ndarray:
    """The picture in a band of one grey value."""
    return np.pad(picture, width, constant_values=level)


def written_on(picture: np.ndarray, ink: int, at=(60, 70)) -> np.ndarray:
    """The picture with a date burnt in."""
    done = picture.copy()
    cv2.putText(done, "2023-04-17 08:12", at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1)
    return done
