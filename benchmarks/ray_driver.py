"""What the driver of runs on Ray costs itself: processor time per job, and memory as jobs end.

    python benchmarks/ray_driver.py

200 jobs of the smoke tier on a cluster of this machine that shares no folder, so that the driver stores all results.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from reproduction import cluster_connection, schedule
from reproduction.experiment import Experiment


def resident_mb() -> float:
    """Memory of this process that is in use, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Measured(schedule.Board):
    """A board that records time and memory at each job's end."""

    def job_ended(self, *arguments):
        super().job_ended(*arguments)
        RECORDS.append((time.process_time(), resident_mb()))


RECORDS = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    count = parser.parse_args().jobs
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": os.cpu_count(), "include_dashboard": False})
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WGANGP_OUTPUT"] = folder
        experiment = Experiment("fig1_gradient_norms")
        seeds = list(range(-(-count // len(experiment.settings_at("smoke")))))
        jobs = schedule.jobs_of([experiment], "smoke", seeds=seeds)[:count]
        schedule.Board = Measured
        with cluster_connection.connected(nodes.address, {"name": "cpu"}) as runner:
            began = time.process_time(), time.monotonic()
            schedule.run(jobs, runner)
            cpu, wall = time.process_time() - began[0], time.monotonic() - began[1]
    nodes.shutdown()
    print(f"{count} jobs in {wall:.0f} s; the driver's processor time {1000 * cpu / count:.1f} ms a job")
    for quarter in range(1, 5):
        last = len(RECORDS) * quarter // 4 - 1
        print(f"after {last + 1} jobs: {RECORDS[last][0] - began[0]:.2f} s, {RECORDS[last][1]:.0f} MB")


if __name__ == "__main__":
    main()
