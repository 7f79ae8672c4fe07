"""Keeps the fuzzer signed in: it ends its own sessions, changes its own password and may delete its own account.

Each time the token is dead, a fresh administrator is made by the server's command line and signs in.
"""

import itertools
import os
import subprocess

import requests
import schemathesis

URL = os.environ["FUZZ_URL"]
SERVER = os.environ["FUZZ_SERVER"]
DATA_DIR = os.environ["FUZZ_DATA_DIR"]
PASSWORD = "wandering albatross over cold water"
NUMBERS = itertools.count()


def sign_in():
    name = f"fuzzer-{os.getpid()}-{next(NUMBERS)}"
    command = [SERVER, "--data-dir", DATA_DIR, "create-admin", "--username", name, "--password-stdin"]
    subprocess.run(command, input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)
    answer = requests.post(f"{URL}/v1/login", json={"identifier": name, "password": PASSWORD}, timeout=10)
    answer.raise_for_status()
    return answer.json()["token"]


@schemathesis.auth(refresh_interval=None)
class Administrator:
    token = None

    def get(self, case, context):
        headers = {"Authorization": f"Bearer {Administrator.token}"}
        if Administrator.token is None or requests.get(f"{URL}/v1/session", headers=headers, timeout=10).status_code != 200:
            Administrator.token = sign_in()
        return Administrator.token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"
