"""Log lines: one event a line, also when several workers write to one file and Python writes through (PYTHONUNBUFFERED)."""

import json
import os
import subprocess
import sys

WORKER = """
import structlog, sys
from exchange import log
log.configure("info")
for number in range(5_000):
    structlog.get_logger().info("request", worker=sys.argv[1], number=number)
"""


def test_lines_of_two_workers_do_not_mix(tmp_path):
    path = tmp_path / "log"
    with path.open("ab") as file:
        command, environment = [sys.executable, "-c", WORKER], {**os.environ, "PYTHONUNBUFFERED": "1"}
        workers = [subprocess.Popen([*command, name], stderr=file, env=environment) for name in "ab"]
        assert [worker.wait(60) for worker in workers] == [0, 0]
    lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert sorted((line["worker"], line["number"]) for line in lines) == [
        (name, n) for name in "ab" for n in range(5_000)
    ]
