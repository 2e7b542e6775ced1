"""Ten kills of a scan with processes, two of them inside a write, by the script that does two hundred."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "verify_kills.py"


def test_ten_kills_lose_nothing(tmp_path):
    command = [sys.executable, str(SCRIPT), "--kills", "10", "--dask", "0", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SCRIPT.parent.parent)
    assert done.returncode == 0, done.stderr
    assert "| processes | 10 | 2 |" in done.stdout
