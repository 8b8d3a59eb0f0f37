"""Prints, for each packaged function, its size, the time from start to first poll, and its memory then.

    python3 tests/deploy/measure.py target/deploy

Fails when a bootstrap is over 22 MB (what is unpacked may have 250). No table, queue or key is there, so the REST API is not told its first admin key,
which it would look for at the start. The function meets a runtime that never gives it anything to do.
"""

import http.server
import os
import pathlib
import platform
import subprocess
import sys
import threading
import time

LIMIT_BYTES = 22_000_000
RUNS = 5
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_LOG_GROUP_NAME": "none",
    "AWS_LAMBDA_LOG_STREAM_NAME": "none",
    "RUST_LOG": "warn",
    "CARILLON_TABLE": "none",
    "CARILLON_QUEUE_SMS_TRANSACTIONAL": "http://127.0.0.1:9/0/transactional",
    "CARILLON_QUEUE_SMS_BULK": "http://127.0.0.1:9/0/bulk",
    "CARILLON_QUEUE_RECEIVE": "http://127.0.0.1:9/0/receive",
    "CARILLON_QUEUE_RECEIVE_DEAD": "http://127.0.0.1:9/0/receive-dead",
    "CARILLON_KMS_KEY": "arn:aws:kms:us-east-1:000000000000:key/none",
    "CARILLON_PUBLIC_URL": "https://example.com",
    "CARILLON_PROVIDER_URL_TWILIO": "",
    "CARILLON_PROVIDER_URL_FAST2SMS": "",
}


class Runtime(http.server.BaseHTTPRequestHandler):
    """Notes when the next invocation is asked for, and never has one."""

    def do_GET(self):
        self.server.first_poll = time.perf_counter()
        self.server.polled.set()
        self.server.done.wait()

    def log_message(self, *_):
        pass


def start_to_first_poll(bootstrap):
    """Milliseconds, and resident kilobytes at that moment."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Runtime)
    server.daemon_threads = True
    server.polled, server.done = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = ENVIRONMENT | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"}
    started = time.perf_counter()
    process = subprocess.Popen([bootstrap], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not server.polled.wait(10):
            process.kill()
            raise SystemExit(f"{bootstrap}: no poll within 10 s\n{process.stderr.read().decode()}")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        return (server.first_poll - started) * 1000, int(resident)
    finally:
        process.kill()
        process.wait()
        server.done.set()
        server.shutdown()


def main(folder):
    bootstraps = sorted(pathlib.Path(folder).glob("*/bootstrap"))
    if not bootstraps:
        raise SystemExit(f"no bootstraps in {folder}")
    print(f"{'function':<16} {'size MB':>8} {'to first poll ms':>17} {'resident MB':>12}   ({platform.machine()}, median of {RUNS})")
    too_large = []
    for bootstrap in bootstraps:
        runs = sorted(start_to_first_poll(os.fspath(bootstrap)) for _ in range(RUNS))
        milliseconds, resident = runs[RUNS // 2]
        size = bootstrap.stat().st_size
        print(f"{bootstrap.parent.name:<16} {size / 1e6:8.1f} {milliseconds:17.1f} {resident / 1024:12.1f}")
        if size > LIMIT_BYTES:
            too_large.append(bootstrap.parent.name)
    if too_large:
        raise SystemExit(f"over {LIMIT_BYTES / 1e6:.0f} MB: {', '.join(too_large)}")


main(sys.argv[1])
