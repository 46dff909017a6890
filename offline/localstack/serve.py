#!/usr/bin/env python3
"""S3 and SQS on port 4566, for machines that cannot pull LocalStack: moto, plus what a stand-in for storage needs.

moto keeps everything in memory. Here every S3 change is in a database on disk, fsynced, before its answer is sent, and
is played back at start: a container that is killed comes back with every object it had confirmed, byte for byte.
Queues come back too, with one notification per object and none of the other messages: at least once, as SQS promises.
Users and roles do not: the scripts below make them at each start.

State (SQLite, write-ahead log): requests holds what shaped buckets and queues, in order, and is repeated as it was sent;
objects holds the present content of each key, so the file does not grow with the number of overwrites.
Once the server answers, /etc/localstack/init/ready.d/*.sh run in order, as LocalStack runs them. /_localstack/health says
what runs, in LocalStack's shape: Testcontainers waits for it.
"""
import datetime
import glob
import http.client
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
from xml.etree import ElementTree

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

PORT = 4566
HEALTH_PATH = "/_localstack/health"
# What a client may ask the health page for; the version is that of the LocalStack which this stands in for.
HEALTH = {"services": {"s3": "running", "sqs": "running", "iam": "running", "sts": "running"}, "edition": "stand-in", "version": "4.14.0"}
STATE_FILE = "/var/lib/localstack/state.db"
READY_SCRIPTS = "/etc/localstack/init/ready.d/*.sh"
# What a PUT may say about an object and a GET says again.
KEPT_HEADERS = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control")
# SQS calls that shape a queue; those that move messages are not repeated.
QUEUE_ACTIONS = ("CreateQueue", "SetQueueAttributes", "DeleteQueue", "TagQueue", "UntagQueue")
# Like LocalStack, this checks no credentials: a request without any is given some, or moto would refuse it.
ANYBODY = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def log(message):
    print(message, flush=True)


class PersistentMoto:
    """The WSGI application: moto, with changes to S3 serialised and kept."""

    def __init__(self, state_file):
        os.environ["MOTO_PORT"] = str(PORT)
        # Imported here: it takes seconds, and nothing above needs it.
        import moto.s3.models
        import moto.s3.notifications
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.models = moto.s3.models
        encode_keys(moto.s3.notifications)
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.client = Client(self.moto)
        self.lock = threading.Lock()
        self.database = sqlite3.connect(state_file, check_same_thread=False, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE IF NOT EXISTS requests "
                              "(id INTEGER PRIMARY KEY, method TEXT, url TEXT, headers TEXT, body BLOB)")
        self.database.execute("CREATE TABLE IF NOT EXISTS objects "
                              "(path TEXT PRIMARY KEY, headers TEXT, body BLOB, modified TEXT)")

    def restore(self):
        for method, url, headers, body in self.database.execute(
                "SELECT method, url, headers, body FROM requests ORDER BY id"):
            self.client.open(url, method=method, headers=json.loads(headers), data=body)
        now, count = self.models.utcnow, 0
        try:
            for path, headers, body, modified in self.database.execute(
                    "SELECT path, headers, body, modified FROM objects ORDER BY modified, path"):
                moment = datetime.datetime.fromisoformat(modified)
                self.models.utcnow = lambda moment=moment: moment
                answer = self.client.put(path, headers=json.loads(headers), data=body)
                if answer.status_code >= 300:
                    raise RuntimeError(f"{path}: {answer.status} {answer.get_data(as_text=True)}")
                count += 1
        finally:
            self.models.utcnow = now
        return count

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == HEALTH_PATH and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return Response(json.dumps(HEALTH), content_type="application/json")(environ, start_response)
        if is_unsigned_form(environ):
            # AssumeRoleWithWebIdentity: the token in the form is the proof. moto knows the service by the form.
            return self.moto(environ, start_response)
        if "X-Amz-Target" not in Request(environ).headers and "X-Amz-Signature" not in environ.get("QUERY_STRING", ""):
            environ.setdefault("HTTP_AUTHORIZATION", ANYBODY)
        if environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS"):
            return self.moto(environ, start_response)
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        if is_queue_call(request):
            if queue_action(request, body) not in QUEUE_ACTIONS:
                return self.moto(environ, without_checksum(start_response))
        elif service(request) not in ("s3", ""):
            # Users and roles: the start-up scripts make them again at each start. To play back what was asked of other services would
            # repeat it, and some of it fails the second time.
            return self.moto(environ, start_response)
        with self.lock:
            refusal = self.refusal(request)
            if refusal:
                return refusal(environ, start_response)
            status, headers, chunks = collect(self.moto, environ)
            if status.startswith("2"):
                self.keep(request, body)
        start_response(status, headers)
        return chunks

    def refusal(self, request):
        """S3's answer to a PUT whose If-Match does not hold, which moto does not know; If-None-Match it does."""
        wanted = request.headers.get("If-Match")
        if request.method != "PUT" or not wanted or "/" not in request.path.strip("/"):
            return None
        answer = self.client.head(quoted(request.path), headers={"Authorization": ANYBODY})
        if answer.status_code == 404:
            return error(404, "NoSuchKey", "The specified key does not exist.")
        if answer.headers.get("ETag", "").strip('"') != wanted.strip('"'):
            return error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        return None

    def keep(self, request, body):
        bucket, _, key = request.path.lstrip("/").partition("/")
        query = request.query_string.decode()
        if is_queue_call(request) or not key and not (request.method == "POST" and "delete" in request.args):
            url = quoted(request.path) + ("?" + query if query else "")
            # The scripts ask for the same things at every start; the last time is enough.
            self.database.execute("DELETE FROM requests WHERE method = ? AND url = ? AND body = ?", (request.method, url, body))
            self.database.execute("INSERT INTO requests (method, url, headers, body) VALUES (?, ?, ?, ?)",
                                  (request.method, url, json.dumps(list(request.headers.items())), body))
        elif not key:
            for element in ElementTree.fromstring(body).iter():
                if element.tag.rpartition("}")[2] == "Key":
                    self.keep_object(f"/{bucket}/{element.text}")
        elif not ("partNumber" in request.args or "uploads" in request.args):
            self.keep_object(request.path)

    def keep_object(self, path):
        """Make the stored row of one key what moto now says about it."""
        url = quoted(path)
        answer = self.client.get(url, headers={"Authorization": ANYBODY})
        if answer.status_code != 200:
            self.database.execute("DELETE FROM objects WHERE path = ?", (url,))
            return
        headers = {name: value for name, value in answer.headers.items()
                   if name.lower() in KEPT_HEADERS or name.lower().startswith("x-amz-meta-")}
        modified = datetime.datetime.strptime(answer.headers["Last-Modified"], "%a, %d %b %Y %H:%M:%S %Z")
        self.database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                              (url, json.dumps(headers), answer.get_data(), modified.isoformat()))


def encode_keys(notifications):
    """S3 encodes keys in its notifications as forms do; moto does not."""
    event = notifications._get_s3_event

    def with_encoded_key(*arguments):
        answer = event(*arguments)
        described = answer["Records"][0]["s3"]["object"]
        described["key"] = urllib.parse.quote_plus(described["key"], safe="/")
        return answer

    notifications._get_s3_event = with_encoded_key


def error(status, code, message):
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>',
                    status=status, content_type="application/xml")


def without_checksum(start_response):
    """Leaves out x-amz-crc32, which SQS does not send and moto does: the .NET SDK finds it wrong although it is right."""
    return lambda status, headers, *rest: start_response(
        status, [(name, value) for name, value in headers if name.lower() != "x-amz-crc32"], *rest)


def quoted(path):
    return urllib.parse.quote(path, safe="/~")


def is_queue_call(request):
    return ("/sqs/aws4_request" in request.headers.get("Authorization", "")
            or request.headers.get("X-Amz-Target", "").startswith("AmazonSQS."))


def is_unsigned_form(environ):
    return (environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"] == "/" and "HTTP_AUTHORIZATION" not in environ
            and environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"))


def service(request):
    """The service that a request is signed for: the last but one part of its credential's scope; "" without a signature."""
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    return scope[-2] if len(scope) > 3 else ""


def queue_action(request, body):
    target = request.headers.get("X-Amz-Target", "")
    if target:
        return target.partition(".")[2]
    return urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]


def collect(application, environ):
    """Run a WSGI application to its end: status, headers and the whole answer."""
    start = []
    answer = application(environ, lambda status, headers, error=None: start.append((status, headers)))
    try:
        chunks = list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return (*start[-1], chunks)


class QuietHandler(WSGIRequestHandler):
    """HTTP/1.1, and no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code="-", size="-"):
        if isinstance(code, int) and code >= 500:
            super().log_request(code, size)


def run_ready_scripts():
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            break
        except OSError:
            time.sleep(0.1)
    for script in sorted(glob.glob(READY_SCRIPTS)):
        log(f"running {script}")
        code = subprocess.run(["bash", script], check=False).returncode
        if code != 0:
            # A stand-in without its bucket must not look ready.
            log(f"{script} failed with exit code {code}")
            os.kill(os.getpid(), signal.SIGTERM)
            return
    log("Ready.")


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    started = time.monotonic()
    application = PersistentMoto(STATE_FILE)
    objects = application.restore()
    log(f"S3 and SQS on port {PORT}: {objects} objects restored, {time.monotonic() - started:.1f} s")
    threading.Thread(target=run_ready_scripts, daemon=True).start()
    make_server("0.0.0.0", PORT, application, threaded=True, request_handler=QuietHandler).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
