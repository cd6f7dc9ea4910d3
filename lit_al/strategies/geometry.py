"""Distances, nearest neighbors, k-means++ and k-means over many rows: linear in the rows, by float32 matrix products.

Squared distances come from |x|² - 2 x·c + |c|², so that the work is a matrix product; points are centered first, which
keeps the rounding small. What needs (rows × centers) numbers is done in chunks of rows.
"""

from collections.abc import Callable, Iterator

import numpy as np

from lit_al.typing import Float32s, Floats, Ints, Mask

Matrix = Float32s
CHUNK = 4_000_000  # numbers in one block of distances, 16 MB
SEEDS = 20  # k-means++ looks for k centers among SEEDS * k rows


def arranged(points: Floats, rng: np.random.Generator) -> tuple[Ints, Matrix]:
    """(n,) a random order of the rows and the (n, D) rows in it, centered: ties are broken by the order.

    >>> order, points = arranged(np.array([[1.0], [3.0]]), np.random.default_rng(0))
    >>> bool((points[:, 0] == np.array([-1.0, 1.0])[order]).all())
    True
    """
    order = rng.permutation(len(points))
    shuffled = points[order].astype(np.float32, copy=False)  # (n, D)
    shuffled -= points.mean(axis=0, dtype=np.float64).astype(np.float32)
    return order, shuffled


def squared_norms(points: Floats) -> Matrix:
    """(n,) squared lengths of rows (n, D)."""
    norms: Matrix = np.einsum("ij,ij->i", points, points, dtype=np.float32, casting="same_kind")
    return norms


def unit(points: Floats) -> Matrix:
    """(n, D) rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(squared_norms(points))[:, None]
    return np.divide(points, lengths, out=np.zeros(points.shape, np.float32), where=lengths > 0, casting="same_kind")


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows, each with no more than CHUNK numbers where a row has `width`."""
    step = max(1, CHUNK // max(width, 1))
    yield from (slice(start, start + step) for start in range(0, rows, step))


def squared_distances(points: Floats, centers: Floats) -> Matrix:
    """(n, k) squared distances of points (n, D) to centers (k, D), for as many as fit in memory."""
    block: Matrix = (points @ centers.T).astype(np.float32, copy=False)  # (n, k)
    block *= -2
    block += squared_norms(centers)
    block += squared_norms(points)[:, None]
    return np.maximum(block, 0, out=block)


def nearest(points: Matrix, centers: Matrix) -> tuple[Ints, Matrix]:
    """Nearest center of each point, (n,) int64, and the squared distance to it, (n,) float32."""
    owner, distance = np.empty(len(points), np.int64), np.empty(len(points), np.float32)
    norms = squared_norms(centers)
    for part in chunks(len(points), len(centers)):
        block = points[part] @ (-2 * centers.T)  # (chunk, k)
        block += norms
        owner[part] = block.argmin(axis=1)
        distance[part] = np.take_along_axis(block, owner[part, None], axis=1)[:, 0]
    distance += squared_norms(points)
    return owner, np.maximum(distance, 0, out=distance)


def neighbors(points: Matrix, others: Matrix, k: int) -> Ints:
    """(n, k) positions of the k nearest of `others` (m, D) to each point (n, D), in no order."""
    found = np.empty((len(points), k), np.int64)
    norms = squared_norms(others)
    for part in chunks(len(points), len(others)):
        block = points[part] @ (-2 * others.T)  # (chunk, m)
        block += norms
        found[part] = np.argpartition(block, k - 1, axis=1)[:, :k]
    return found


def farthest_first(points: Matrix, k: int, distance: Matrix | None = None) -> tuple[Ints, Matrix]:
    """Greedy k-center: again and again the point farthest from all centers so far (Gonzalez 1985).

    Args:
        points: (n, D), centered.
        k: picks.
        distance: (n,) squared distances to the nearest center there is already; None where there is none. Then the
            first point is picked, with its radius, the squared distance to the farthest point, as its distance.

    Returns:
        (k,) positions in the order picked, (k,) squared distances to the nearest center at that moment.
    """
    norms, step = squared_norms(points), np.empty(len(points), np.float32)
    picks, far = np.empty(k, np.int64), np.empty(k, np.float32)
    first = distance is None
    distance = np.full(len(points), np.inf, np.float32) if distance is None else distance.copy()
    for i in range(k):
        pick = int(distance.argmax())
        picks[i], far[i] = pick, distance[pick]
        np.matmul(points, points[pick] * -2, out=step)  # (n,)
        step += norms
        step += norms[pick]
        np.minimum(distance, step, out=distance)
        if i == 0 and first:
            far[0] = distance.max()
        distance[pick] = -np.inf  # taken: below its own copies, whose distance is 0 or, by rounding, just below
    return picks, np.maximum(far, 0, out=far)


def plus_plus(
    distances_to: Callable[[int], Matrix], n: int, k: int, first: int, rng: np.random.Generator
) -> tuple[Ints, Matrix]:
    """k-means++ (Arthur and Vassilvitskii 2007): the next center is drawn in proportion to its squared distance.

    Args:
        distances_to: gives the (n,) squared distances to one point.
        n: points.
        k: distinct picks, n at most.
        first: the first pick.
        rng: draws the others; uniformly where all that is left lies on a center.

    Returns:
        (k,) positions, (k,) squared distances to the nearest center when picked (of the first: the largest to it).
    """
    picks, far = np.empty(k, np.int64), np.empty(k, np.float32)
    distance = np.full(n, np.inf, np.float32)
    free = np.ones(n, np.bool_)
    pick = first
    for i in range(k):
        picks[i], far[i], free[pick] = pick, distance[pick], False
        if i + 1 == k and i:
            break
        np.minimum(distance, distances_to(pick), out=distance)
        np.maximum(distance, 0, out=distance)
        distance[pick] = 0
        far[0] = distance.max() if i == 0 else far[0]
        pick = _draw(distance, free, rng)
    return picks, far


def _draw(weights: Matrix, free: Mask, rng: np.random.Generator) -> int:
    """A position in proportion to its weight; a uniform one of the free where no weight is left."""
    sums = np.cumsum(weights, dtype=np.float64)
    drawn = int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
    if drawn < len(weights):
        return drawn
    left = np.flatnonzero(free)
    return int(rng.choice(left)) if len(left) else 0


def k_means(points: Matrix, k: int, rng: np.random.Generator, iterations: int = 5) -> tuple[Matrix, Ints]:
    """Lloyd's k-means from a greedy k-means++ start; start and first iterations see a sample of 20 k points.

    Returns:
        (k, D) centers, (n,) int64 the center of each point. An empty cluster keeps its last center.
    """
    if len(points) <= SEEDS * k:
        return _lloyd(points, _seeds(points, k, rng), 2 * iterations)
    sample = points[rng.choice(len(points), SEEDS * k, replace=False)]  # (20 k, D)
    centers, _ = _lloyd(sample, _seeds(sample, k, rng), iterations)
    return _lloyd(points, centers, iterations)


def _lloyd(points: Matrix, centers: Matrix, iterations: int) -> tuple[Matrix, Ints]:
    """Centers (k, D) moved to the means of their points, and the (n,) center of each point after the last move."""
    owner, _ = nearest(points, centers)
    for _ in range(iterations):
        centers = _means(points, owner, centers)
        before, (owner, _) = owner, nearest(points, centers)
        if (before == owner).all():
            break
    return centers, owner


def _seeds(points: Matrix, k: int, rng: np.random.Generator) -> Matrix:
    """(k, D) centers by greedy k-means++: of a few draws the one that lies closest to all is kept, center by center."""
    trials, norms = 2 + int(np.log(k)), squared_norms(points)
    centers = np.empty((k, points.shape[1]), np.float32)
    distance = np.full(len(points), np.inf, np.float32)
    drawn = rng.integers(len(points), size=1)
    for i in range(k):
        block = (-2 * points[drawn]) @ points.T  # (trials, n)
        block += norms
        block += norms[drawn, None]
        np.minimum(np.maximum(block, 0, out=block), distance, out=block)
        best = int(block.sum(axis=1, dtype=np.float64).argmin())
        centers[i], distance = points[drawn[best]], block[best]
        sums = np.cumsum(distance, dtype=np.float64)
        drawn = np.minimum(np.searchsorted(sums, rng.random(trials) * sums[-1], side="right"), len(points) - 1)
    return centers


def _means(points: Matrix, owner: Ints, centers: Matrix) -> Matrix:
    """(k, D) mean of the points of each center (k, D)."""
    counts = np.bincount(owner, minlength=len(centers))
    sums = np.empty(centers.shape, np.float64)
    for d in range(points.shape[1]):
        sums[:, d] = np.bincount(owner, points[:, d], len(centers))
    means = np.divide(sums, counts[:, None], out=centers.astype(np.float64), where=counts[:, None] > 0)
    return means.astype(np.float32)


def closest_rows(points: Matrix, centers: Matrix) -> Ints:
    """(k,) distinct positions: for each center in turn the nearest point that no earlier center took; k <= n."""
    best, distance = np.empty(len(centers), np.int64), np.full(len(centers), np.inf, np.float32)
    for part in chunks(len(points), len(centers)):
        block = squared_distances(centers, points[part])  # (k, chunk)
        here = block.argmin(axis=1)  # (k,)
        found = block[np.arange(len(centers)), here]
        closer = found < distance
        best[closer], distance[closer] = here[closer] + part.start, found[closer]
    taken, norms = np.zeros(len(points), np.bool_), squared_norms(points)
    for i, center in enumerate(centers):
        if taken[best[i]]:
            again = norms - 2 * (points @ center)  # (n,) squared distances but for a constant
            best[i] = np.where(taken, np.inf, again).argmin()
        taken[best[i]] = True
    return best
