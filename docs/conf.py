"""The documentation: `sphinx-build -W -b html docs FOLDER`, with `pip install ".[docs]"`.

HOPSIM_REPRODUCTIONS says where the gallery has its figures from: see extensions/catalogue_gallery.py. With it the
notebooks are executed, in the same folder, so that they find its scans; without it they are shown without outputs.
"""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]

from hopsim.version import __version__  # noqa: E402

project = "hopsim"
author = "The hopsim developers"
copyright = "The hopsim developers, MIT licence"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "plain_docstrings", "catalogue_gallery"]
exclude_patterns = ["extensions"]

(HERE / "notebooks").mkdir(exist_ok=True)
for notebook in (HERE.parent / "notebooks").glob("*.ipynb"):  # pages are looked for beside this file
    shutil.copy2(notebook, HERE / "notebooks")
nb_execution_mode = "force" if os.environ.get("HOPSIM_REPRODUCTIONS") else "off"
nb_execution_timeout = -1
nb_execution_raise_on_error = True
nb_merge_streams = True

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
python_use_unqualified_type_names = True

smartquotes = False  # formulas have primes and quotes of their own

html_theme = "furo"
html_title = f"hopsim {__version__}"
