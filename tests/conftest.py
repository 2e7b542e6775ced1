"""Property tests draw the same examples in every run; compiled kernels are cached by the text of all of them.

Numba's own cache sees an edit only in the file of the outermost kernel: a changed callee elsewhere would be missed.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import hypothesis

KERNELS = sorted((Path(__file__).parent.parent / "hopsim" / "kernels").glob("*.py"))
TEXT = hashlib.sha256(b"".join(path.read_bytes() for path in KERNELS)).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"hopsim-kernels-{TEXT}"))

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=30, database=None)
hypothesis.settings.load_profile("fixed")
