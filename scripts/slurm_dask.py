"""Run a scan on the machines of a SLURM cluster, through Dask.

    pip install "hopsim[cluster]" dask-jobqueue
    python scripts/slurm_dask.py SCAN.toml --jobs 20 --cores 16 --walltime 12:00:00 --queue short --out results.h5
    python scripts/slurm_dask.py SCAN.toml --local --cores 2      the same on this machine, without SLURM

This process schedules and is the only one that writes: run it where it may stay as long as the scan does, on a login
node or in a job of one core. It submits jobs with `sbatch`, each with a worker for every core, and cancels them at the
end. All machines need the same Python environment. Options it does not know are those of `hopsim run`. When it was
killed, start it again with the same line: it computes what is missing. Work of a job that reaches its time limit is
done again elsewhere; a run on which workers died three times is recorded as failed.
"""

import argparse
import shutil
import sys
from typing import Any

from hopsim import cli, executors
from hopsim.cli import arguments
from hopsim.errors import Refused


def main() -> int:
    """Start the workers, run the scan on them, end them."""
    chosen, rest = _parser().parse_known_args()
    try:
        cluster = executors.local_cluster(chosen.cores) if chosen.local else _slurm(chosen)
    except Refused as error:
        print(f"slurm_dask: {error}", file=sys.stderr)
        return arguments.REFUSED
    with cluster:
        address = cluster.scheduler_address
        return cli.main(["run", chosen.scan, "--executor", "dask", "--scheduler", address, *rest])


def _slurm(chosen: argparse.Namespace) -> Any:
    import dask
    from dask_jobqueue import SLURMCluster

    if shutil.which("sbatch") is None:
        raise Refused("no sbatch on this machine; run it where SLURM takes jobs, or with --local")
    dask.config.set({"distributed.scheduler.allowed-failures": executors.DEATHS - 1})
    cluster = SLURMCluster(
        cores=chosen.cores,
        processes=chosen.cores,  # one thread each: a death harms one task
        memory=chosen.memory or f"{2 * chosen.cores}GB",
        walltime=chosen.walltime,
        queue=chosen.queue,
        account=chosen.account,
        scheduler_options={"dashboard_address": ":0"},
    )
    cluster.scale(jobs=chosen.jobs)
    return cluster


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", metavar="SCAN", help="as for `hopsim run`")
    parser.add_argument("--local", action="store_true", help="workers on this machine, without SLURM")
    parser.add_argument("--cores", type=int, default=1, metavar="N", help="of a job, or of this machine with --local")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--walltime", default="01:00:00", metavar="H:M:S", help="time limit of a job")
    parser.add_argument("--memory", metavar="SIZE", help="of a job; default: 2GB for each core")
    parser.add_argument("--queue", metavar="NAME", help="the partition; default: SLURM's own")
    parser.add_argument("--account", metavar="NAME")
    return parser


if __name__ == "__main__":
    sys.exit(main())
