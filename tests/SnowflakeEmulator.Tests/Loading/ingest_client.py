"""A foreign client of classic Snowpipe's REST API.

Written after what Snowflake's own client for Python (snowflake-ingest 1.0.13) was seen to send: its headers, its key-pair JWT of 59
minutes, its retries of 408 and 5xx. Usage: ingest_client.py URL ACCOUNT USER KEY_FILE PIPE COMMAND [ARGUMENT...]; prints the answer.
"""

import base64
import hashlib
import json
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone

import jwt
import requests
from cryptography.hazmat.primitives import serialization

LIFETIME = timedelta(minutes=59)
FIRST_PAUSE, MOST_SECONDS = 1, 60


def token(account, user, key_file):
    with open(key_file, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), password=None)
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()
    subject = f"{account.upper()}.{user.upper()}"
    now = datetime.now(timezone.utc)
    claims = {"iss": f"{subject}.{fingerprint}", "sub": subject, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, key, algorithm="RS256")


class Client:
    def __init__(self, url, account, user, key_file, pipe):
        self.root = f"{url}/v1/data/pipes/{pipe}/"
        self.session = requests.Session()
        self.headers = {
            "Authorization": f"Bearer {token(account, user, key_file)}",
            "User-Agent": "SnowpipePythonSDK/1.0.13/Linux Python/3.11.2",
            "Accept": "*/*",
        }
        self.retries = 0

    def call(self, method, name, query=None, body=None):
        pause, until = FIRST_PAUSE, time.monotonic() + MOST_SECONDS
        request_id = str(uuid.uuid4())
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        while True:
            try:
                answer = self.session.request(
                    method,
                    self.root + name,
                    params={"requestId": request_id, **(query or {})},
                    data=body,
                    headers=headers,
                    timeout=30,
                )
                again = answer.status_code == 408 or 500 <= answer.status_code < 600
            except requests.exceptions.ConnectionError:
                answer, again = None, True
            if not again:
                answer.raise_for_status()
                told = answer.json()
                if told.get("requestId", request_id) != request_id:
                    raise RuntimeError(f"another requestId: {told}")
                return told
            if time.monotonic() + pause > until:
                raise RuntimeError(f"no answer: {answer and answer.status_code}")
            self.retries += 1
            time.sleep(pause)
            pause *= 2

    def insert(self, paths):
        return self.call("POST", "insertFiles", body=json.dumps({"files": [{"path": path, "size": None} for path in paths]}))

    def report(self, begin_mark=None):
        return self.call("GET", "insertReport", {"beginMark": begin_mark} if begin_mark else {"recentSeconds": 600})

    def history(self, start, end=None):
        query = {"startTimeInclusive": start}
        if end:
            query["endTimeExclusive"] = end
        return self.call("GET", "loadHistoryScan", query)


def main(url, account, user, key_file, pipe, command, *arguments):
    client = Client(url, account, user, key_file, pipe)
    try:
        answer = getattr(client, command)(arguments if command == "insert" else None) if command != "history" else client.history(*arguments)
        print(json.dumps({"answer": answer, "retries": client.retries}))
    except requests.exceptions.HTTPError as e:
        print(json.dumps({"status": e.response.status_code, "error": e.response.json(), "retries": client.retries}))


main(*sys.argv[1:])
