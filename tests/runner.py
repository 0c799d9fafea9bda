"""Runs of the command line in processes of their own, to be killed at will.

A server imports everything once and forks a process for each run: quick enough to do it often.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

SERVER = """
import json, os, resource, signal, sys, time
from c2e_video import cli
from c2e_video.cli import stdin
from c2e_video.pipeline import planned_film
from c2e_video.video import encode
write = encode.Encoder.write

def run(job):
    os.setpgid(0, 0)
    out = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    def slowly(self, batch):
        write(self, batch)
        time.sleep(job["delay"])
    encode.Encoder.write = slowly
    planned_film.SEGMENT_SECONDS = job["segment"]
    if job["file_limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["file_limit"],) * 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    signal.alarm(job["seconds"])
    os.chdir(job["folder"])
    sys.argv = ["c2e-video", *job["arguments"]]
    cli.main()

print("ready", flush=True)
children = {}
for line in sys.stdin:
    job = json.loads(line)
    if "wait" in job:
        _, status, usage = os.wait4(job["wait"], 0)
        print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, flush=True)
    else:
        pid = os.fork()
        if not pid:
            run(job)
        print(pid, flush=True)
"""


class Ended(NamedTuple):
    """How a run ended: its exit code (minus the signal that killed it), what it said, its memory."""

    code: int
    text: str
    peak_bytes: int


class Run:
    """A run that has begun."""

    def __init__(self, runner: Runner, pid: int, log: Path) -> None:
        self.runner, self.pid, self.log = runner, pid, log

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def until(self, happened: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something has happened; a run that ends before, or takes too long, fails."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.005)

    def wait(self) -> Ended:
        code, peak = map(int, self.runner.ask({"wait": self.pid}).split())
        return Ended(code, self.log.read_text(errors="replace"), peak * 1024)


class Runner:
    """The server. ``start`` begins a run in ``folder``; ``delay`` is waited after each batch.

    A run that takes longer than ``seconds`` is ended by SIGALRM.
    """

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        server: Any = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._server, self._started = server, 0
        assert server.stdout.readline() == "ready\n"

    def ask(self, job: dict[str, Any]) -> str:
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        return str(self._server.stdout.readline())

    def start(
        self,
        folder: Path,
        *arguments: str,
        segment: float = 0.4,
        delay: float = 0.0,
        file_limit: int = 0,
        seconds: int = 300,
    ) -> Run:
        self._started += 1
        log = folder.with_name(f"{folder.name}-{self._started}.log")
        job = {
            "folder": str(folder),
            "arguments": arguments,
            "log": str(log),
            "segment": segment,
            "delay": delay,
            "file_limit": file_limit,
            "seconds": seconds,
        }
        return Run(self, int(self.ask(job)), log)

    def run(self, folder: Path, *arguments: str, **how: Any) -> Ended:
        """A run from beginning to end."""
        return self.start(folder, *arguments, **how).wait()

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait()
