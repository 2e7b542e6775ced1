"""Make data/patterns/digits.h5: the 1,797 UCI handwritten digits (8 x 8), binarised to ±1.

    python -m pip install ".[data]" && python scripts/make_digits.py

A pixel, 0 to 16 in the source, becomes +1 from 8 upwards and -1 below: half of its range.
"""

from pathlib import Path

import h5py
import numpy as np
from sklearn.datasets import load_digits

OUT = Path(__file__).parent.parent / "data" / "patterns" / "digits.h5"
THRESHOLD = 8


def main() -> None:
    """Write the file anew; the same bytes in `patterns` and `labels` every time."""
    digits = load_digits()
    patterns = np.where(digits.data.T >= THRESHOLD, 1, -1).astype(np.int8)
    with h5py.File(OUT, "w") as file:
        file.create_dataset("patterns", data=patterns, compression="gzip", track_times=False)
        file.create_dataset("labels", data=digits.target.astype(np.int8), compression="gzip", track_times=False)
        file.attrs.update(
            {
                "title": "Optical recognition of handwritten digits, 8 x 8 pixels, test set",
                "source": "UCI Machine Learning Repository, doi:10.24432/C50P49 (E. Alpaydin & C. Kaynak, 1998), "
                "as shipped with scikit-learn (sklearn.datasets.load_digits)",
                "license": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
                "changes": f"pixels (0..16) binarised: +1 where >= {THRESHOLD}, -1 elsewhere",
                "patterns": "int8[64 pixels row by row, 1797 images]",
                "labels": "int8[1797]: the digit written",
            }
        )
    print(f"{OUT}: {patterns.shape[1]} patterns of {patterns.shape[0]} pixels, mean {patterns.mean():.3f}")


if __name__ == "__main__":
    main()
