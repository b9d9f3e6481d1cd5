"""Numbers that look like nature. Each function takes its values from the generator it is given."""

from __future__ import annotations

import numpy as np

from journey.pictures.samples.plane import F32, Plane, resized


def value_noise(rng: np.random.Generator, width: int, height: int, cell: float) -> Plane:
    """Random values 0 to 1 at every `cell` pixels, with smooth curves between."""
    columns, rows = int(width / cell) + 3, int(height / cell) + 3
    grid = rng.random((rows, columns), dtype=F32)
    large = grid if cell <= 1 else resized(grid, int(columns * cell), int(rows * cell))
    return large[:height, :width]


def fractal_noise(
    rng: np.random.Generator, width: int, height: int, cell: float, octaves: int, gain: float = 0.5
) -> Plane:
    """Fractal noise round 0.5; `cell` is the size in pixels of its largest features."""
    total = np.zeros((height, width), F32)
    weights = [gain**octave for octave in range(octaves)]
    for octave, weight in enumerate(weights):
        total += weight / sum(weights) * value_noise(rng, width, height, max(cell / 2**octave, 1))
    return total


def seamless_noise(rng: np.random.Generator, size: int, cell: int, octaves: int, gain: float = 0.5) -> Plane:
    """Fractal noise that repeats without a seam; `size` and `cell` are powers of two."""
    total = np.zeros((size, size), F32)
    weights = [gain**octave for octave in range(octaves)]
    for octave, weight in enumerate(weights):
        step = cell >> octave
        count = size // step
        grid = np.pad(rng.random((count, count), dtype=F32), 2, mode="wrap")
        large = resized(grid, (count + 4) * step, (count + 4) * step)
        total += weight / sum(weights) * large[2 * step : 2 * step + size, 2 * step : 2 * step + size]
    return total


def ridged_noise(rng: np.random.Generator, width: int, height: int, cell: float, octaves: int) -> Plane:
    """Fractal noise with sharp crests and smooth valleys, 0 to 1."""
    total = np.zeros((height, width), F32)
    weights = [0.52**octave for octave in range(octaves)]
    above: Plane | float = 1
    for octave, weight in enumerate(weights):
        crest = 1 - np.abs(2 * value_noise(rng, width, height, max(cell / 2**octave, 1)) - 1)
        crest = np.clip(crest, 0, 1) ** 2
        total += weight / sum(weights) * crest * above
        above = np.clip(crest * 2.0, 0.1, 1)
    return total
