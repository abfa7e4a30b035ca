"""Groups embeddings by voice: how many voices there are is found, unless it is known."""

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

THRESHOLD = 0.5  # cosine distance between two voices, on average; chosen on other recordings
LEAST_WINDOWS = 3  # of a voice; a smaller group is a cough or two voices at once
MOST_COMPARED = 4096  # embeddings that are compared with each other: memory grows by the square


def cluster(
    embeddings: npt.NDArray[np.float32], speakers: int | None = None
) -> npt.NDArray[np.intp]:
    """Group `embeddings (W, E)` into `speakers` voices, or as many as there seem to be.

    Returns:
        The number of each one's voice, `(W,)`, in order of appearance.
    """
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    compared = unit[:: 1 + (len(unit) - 1) // MOST_COMPARED]
    nearest = np.argmax(unit @ _centres(compared, speakers).T, axis=1)
    _, first, labels = np.unique(nearest, return_index=True, return_inverse=True)
    order: npt.NDArray[np.intp] = np.argsort(np.argsort(first))
    return order[labels]


def _centres(unit: npt.NDArray[np.float32], speakers: int | None) -> npt.NDArray[np.float32]:
    """Return the directions `(voices, E)` of the groups, without those that are too small."""
    groups = _groups(unit, speakers)
    sizes = np.bincount(groups)
    large = np.flatnonzero(sizes >= min(LEAST_WINDOWS, sizes.max()))
    kept = large if speakers is None else np.argsort(-sizes, kind="stable")[:speakers]
    sums = np.stack([unit[groups == group].sum(0) for group in kept if sizes[group]])
    centres: npt.NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return centres


def _groups(unit: npt.NDArray[np.float32], speakers: int | None) -> npt.NDArray[np.intp]:
    """Cut the tree at `THRESHOLD`, or where `speakers` groups are first large enough."""
    if len(unit) == 1:
        return np.zeros(1, np.intp)
    tree = linkage(unit, "average", metric="cosine")
    if speakers is None:
        return np.asarray(fcluster(tree, THRESHOLD, "distance"), np.intp)
    cuts = [
        np.asarray(fcluster(tree, number, "maxclust"), np.intp)
        for number in range(speakers, 4 * speakers + 1)
    ]
    enough = (cut for cut in cuts if (np.bincount(cut) >= LEAST_WINDOWS).sum() == speakers)
    return next(enough, cuts[0])
