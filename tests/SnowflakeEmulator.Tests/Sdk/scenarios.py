"""Drives Snowflake's own Streaming SDK through one scenario against the emulator; SdkTests runs it and compares the tables.

usage: scenarios.py NAME        (SSL_CERT_FILE names the emulator's ca.pem)

From the environment: HTTPS_URL and HTTP_URL of the emulator, KEY_FILE (PKCS#8 PEM), ACCESS_TOKEN, EXPECTED (a file to write). EXPECTED
gets a JSON object per row that must be in the table, no more and no less. Exit code 0 means that the SDK behaved as it should.
"""

import json
import os
import sys
import threading
import time
import traceback
import urllib.request
from datetime import datetime, timezone

from snowflake.ingest.streaming import StreamingIngestClient, StreamingIngestError, StreamingIngestErrorCode

PIPE = ("DEMO", "DEMO", "THERMAL_SENSOR_PIPE")
TABLE = ("DEMO", "DEMO", "THERMAL_SENSOR_DATA")
expected = []


def properties(**more):
    values = dict(account="LOCAL-DEMO", user="PI_USER", url=os.environ["HTTPS_URL"])
    if more.get("authorization_type") != "PAT":
        with open(os.environ["KEY_FILE"], encoding="ascii") as file:
            values["private_key"] = file.read()
    values.update(more)
    return values


def client(name="client", pipe=PIPE, **more):
    return StreamingIngestClient(name, *pipe, properties=properties(**more))


def table_client(name="client", table=TABLE, **more):
    return StreamingIngestClient.from_table(name, *table, properties=properties(**more))


def row(channel, number, **more):
    return {"uuid": f"{channel}-{number}", "channel_id": channel, "stream_offset": number, "temperature": number % 500 / 10,
            "hostname": "Prüf-Gerät °C \"1\"", **more}


def append(channel, name, numbers, **more):
    """Appends rows one by one; they are expected in the table."""
    for number in numbers:
        channel.append_row(row(name, number, **more), str(number))
        expected.append(row(name, number, **more))


def wait(what, until, seconds=180):
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def wait_committed(channel, token, seconds=180):
    wait(f"the commit of {token} (at {channel.get_latest_committed_offset_token()})",
         lambda: channel.get_latest_committed_offset_token() == token, seconds)


def fault(**values):
    request = urllib.request.Request(os.environ["HTTP_URL"] + "/emulator/faults", json.dumps(values).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def faults_left():
    with urllib.request.urlopen(os.environ["HTTP_URL"] + "/emulator/faults") as answer:
        return json.load(answer)


def uncommitted():
    """Rows of the elastic channel are acknowledged before they are committed."""
    with urllib.request.urlopen(os.environ["HTTP_URL"] + "/emulator/tables") as answer:
        return sum(table["uncommitted_rows"] for table in json.load(answer))


def fails(what, action):
    try:
        action()
    except StreamingIngestError as error:
        return error
    raise AssertionError(f"{what} should fail")


def becomes_invalid(channel, name, first):
    """Appends rows, which are not expected anywhere, until the SDK gives the channel up."""
    numbers = iter(range(first, first + 10_000))

    def refused():
        try:
            channel.append_row({"uuid": f"{name}-lost-{next(numbers)}"}, "lost")
            return False
        except StreamingIngestError as error:
            assert error.error_code == StreamingIngestErrorCode.INVALID_CHANNEL_ERROR, error
            return True

    wait("the end of the channel", refused, 120)


# ---------------------------------------------------------------- Named channels


def named():
    c = client()
    channel, status = c.open_channel("ch1")
    assert status.status_code == "SUCCESS" and status.latest_committed_offset_token is None, status
    append(channel, "ch1", range(40))
    rows = [row("ch1", n) for n in range(40, 100)]
    channel.append_rows(rows, "40", "99")
    expected.extend(rows)
    wait_committed(channel, "99")
    status = channel.get_channel_status()
    assert (status.channel_name, status.status_code) == ("ch1", "SUCCESS"), status
    assert (status.rows_inserted_count, status.rows_parsed_count, status.rows_error_count) == (100, 100, 0), status
    assert status.last_error_message is None and status.last_error_timestamp is None, status
    assert abs((datetime.now(timezone.utc) - status.created_on.replace(tzinfo=timezone.utc)).total_seconds()) < 120, status
    assert c.get_latest_committed_offset_tokens(["ch1", "unknown"]).get("ch1") == "99"
    c.close()


def offsets_and_reopen():
    c = client("first")
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(10))
    wait_committed(channel, "9")
    c.close()
    c = client("second")
    channel, status = c.open_channel("ch1")
    assert status.latest_committed_offset_token == "9", status
    append(channel, "ch1", range(10, 20))
    wait_committed(channel, "19")
    channel.close()
    channel, status = c.open_channel("ch1", "start over")
    assert status.latest_committed_offset_token == "start over", status
    channel.close(drop=True)
    channel, status = c.open_channel("ch1")
    assert status.latest_committed_offset_token is None, status
    c.close()


def refused_rows():
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", [0])
    channel.append_row({"uuid": "bad", "temperature": "warm"}, "1")
    append(channel, "ch1", [2])
    wait_committed(channel, "2")
    status = channel.get_channel_status()
    assert (status.rows_inserted_count, status.rows_parsed_count, status.rows_error_count) == (2, 3, 1), status
    assert "TEMPERATURE" in status.last_error_message, status
    assert status.last_error_offset_token_upper_bound in ("1", "2"), status
    assert status.last_error_timestamp is not None, status
    assert abs((datetime.now(timezone.utc) - status.last_error_timestamp.replace(tzinfo=timezone.utc)).total_seconds()) < 120, status
    c.close()


def fencing():
    one, two = client("one"), client("two")
    first, _ = one.open_channel("ch1")
    append(first, "ch1", range(5))
    wait_committed(first, "4")
    second, status = two.open_channel("ch1")
    assert status.latest_committed_offset_token == "4", status
    append(second, "ch1", range(5, 10))
    wait_committed(second, "9")
    becomes_invalid(first, "ch1", 10)
    append(second, "ch1", range(10, 15))
    wait_committed(second, "14")
    two.close()


def invalidated():
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(5))
    wait_committed(channel, "4")
    assert fault(kind="invalidate", channel="ch1") == {"invalidated": 1}
    becomes_invalid(channel, "ch1", 5)
    channel.close(wait_for_flush=False)
    channel, status = c.open_channel("ch1")
    assert status.latest_committed_offset_token == "4", status
    append(channel, "ch1", range(5, 10))
    wait_committed(channel, "9")
    c.close()


def dropped_by_another():
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(3))
    wait_committed(channel, "2")
    client("other").drop_channel("ch1")
    becomes_invalid(channel, "ch1", 3)


def reopened_with_uncommitted_rows():
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(10))
    channel.wait_for_flush(180)
    other = client("other")
    second, status = other.open_channel("ch1")
    assert status.latest_committed_offset_token == "9", status
    append(second, "ch1", range(10, 12))
    wait_committed(second, "11")
    other.close()


def odd_names():
    c = client()
    names = ["lower", "UPPER", "Mixed Case", "slash/and?query=1&x#y", "per%25cent+plus", "ünïcödé-名前-🌡", "\"quoted\"", "a:bulk-channel-status", "...", "x" * 200]
    channels = {name: c.open_channel(name)[0] for name in names}
    for name, channel in channels.items():
        append(channel, name[:90], range(3))
    for channel in channels.values():
        wait_committed(channel, "2")
    tokens = c.get_latest_committed_offset_tokens(names)
    assert tokens == dict.fromkeys(names, "2"), tokens
    c.close()


def odd_objects():
    for pipe in (("plain", "PUBLIC_X", "p"), ('"lower db"', '"Sché/ma"', '"pipe %2F ""x"""')):
        c = client(pipe=pipe)
        channel, _ = c.open_channel("c")
        channel.append_row({"a": pipe[2]}, "1")
        expected.append({"a": pipe[2]})
        wait_committed(channel, "1")
        c.close()
    t = table_client(table=('"lower db"', '"Sché/ma"', '"täble"'))
    t.get_elastic_channel().append_rows_with_wait([{"a": "by table"}], None).result(timeout=180)
    expected.append({"a": "by table"})
    t.close()


def eight_channels():
    c = client()
    channels = [c.open_channel(f"ch{i}")[0] for i in range(8)]
    errors = []

    def send(i):
        try:
            for number in range(1000):
                channels[i].append_row(row(f"ch{i}", number), str(number))
            wait_committed(channels[i], "999")
        except Exception as error:  # told by the main thread
            errors.append(error)

    threads = [threading.Thread(target=send, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
    expected.extend(row(f"ch{i}", number) for i in range(8) for number in range(1000))
    c.close()


# ---------------------------------------------------------------- Faults


def faulty(*plans, pause=0.4):
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", [0])
    wait_committed(channel, "0")
    number = 1
    for plan in plans:
        fault(**plan)
        for _ in range(3):
            append(channel, "ch1", [number])
            number += 1
            time.sleep(pause)
        wait_committed(channel, str(number - 1))
    assert faults_left() == [], "a fault did not happen"
    c.close()


def lost_replies():
    faulty(dict(kind="lost_reply", endpoint="append", times=1), dict(kind="lost_reply", endpoint="append", times=2), dict(kind="abort", endpoint="append"))


def answers_401():
    faulty(dict(status=401, endpoint="append"), dict(status=401, endpoint="append", times=2), dict(status=401, endpoint="status"))


def answers_429():
    faulty(dict(status=429, endpoint="append", times=2), dict(status=429, endpoint="status"))


def answers_503():
    faulty(dict(status=503, endpoint="append", times=2), dict(status=500, endpoint="append"), dict(status=503, endpoint="status"))


def faults_at_the_start():
    for endpoint in ("hostname", "token", "pipe_info", "open"):
        fault(status=503, endpoint=endpoint)
        fault(kind="lost_reply", endpoint=endpoint)
    fault(status=409, endpoint="open")
    c = client()
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(3))
    wait_committed(channel, "2")
    assert faults_left() == [], "a fault did not happen"
    c.close()


# ---------------------------------------------------------------- Signing in


def short_tokens():
    c = client()
    channel, _ = c.open_channel("ch1")
    started, number = time.monotonic(), 0
    while time.monotonic() - started < 12:
        append(channel, "ch1", [number])
        number += 1
        time.sleep(0.1)
    wait_committed(channel, str(number - 1))
    c.close()


def access_token():
    c = client(authorization_type="PAT", personal_access_token=os.environ["ACCESS_TOKEN"])
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(5))
    wait_committed(channel, "4")
    c.close()
    fails("a wrong token", lambda: client(authorization_type="PAT", personal_access_token="wrong"))


def role():
    c = client(role="thermal_streaming_role")
    channel, _ = c.open_channel("ch1")
    append(channel, "ch1", range(3))
    wait_committed(channel, "2")
    c.close()
    error = fails("the role PUBLIC", lambda: client(role="PUBLIC"))
    assert "404" in str(error) or "NOT_FOUND" in str(error.error_code), error


# ---------------------------------------------------------------- Elastic channels


def elastic():
    c = client()
    e = c.get_elastic_channel()
    done = [e.append_row_with_wait(row("elastic", n), n) for n in range(20)]
    done.append(e.append_rows_with_wait([row("elastic", n) for n in range(20, 50)], None))
    for future in done:
        future.result(timeout=180)
    expected.extend(row("elastic", n) for n in range(50))
    assert e.get_channel_status().status_code == "SUCCESS"
    c.close()


def table_mode():
    """Brings the default pipe into being, by both kinds of channel."""
    t = table_client(authorization_type="PAT", personal_access_token=os.environ["ACCESS_TOKEN"])
    t.get_elastic_channel().append_rows_with_wait([row("elastic", n) for n in range(10)], None).result(timeout=180)
    expected.extend(row("elastic", n) for n in range(10))
    channel, _ = t.open_channel("ch1")
    append(channel, "ch1", range(10))
    wait_committed(channel, "9")
    t.close()


# ---------------------------------------------------------------- Bursts, which the SDK sends as files


def burst_rows(name):
    return [row(name, n, macaddress=f"{n * 2654435761 % 2**48:012x}", diskusage=f"{n * 40503 % 2**32:032x}", note="z" * 60) for n in range(60_000)]


def burst():
    c = client()
    channel, _ = c.open_channel("ch1")
    rows = burst_rows("ch1")
    for i, one in enumerate(rows):
        channel.append_row(one, str(i))
    expected.extend(rows)
    wait_committed(channel, "59999", 400)
    assert channel.get_channel_status().rows_inserted_count == 60_000
    c.close()


def burst_elastic():
    c = client()
    e = c.get_elastic_channel()
    rows = burst_rows("elastic")
    futures = [e.append_rows_with_wait(rows[i:i + 20_000], None) for i in range(0, 60_000, 20_000)]
    expected.extend(rows)
    for future in futures:
        future.result(timeout=400)
    c.close()


def burst_with_faults():
    c = client()
    channel, _ = c.open_channel("ch1")
    rows = burst_rows("ch1")
    fault(status=503, endpoint="upload")
    fault(kind="lost_reply", endpoint="upload")
    fault(status=503, endpoint="filebuffer")
    fault(kind="lost_reply", endpoint="filebuffer")
    channel.append_rows(rows, "0", "59999")
    expected.extend(rows)
    wait_committed(channel, "59999", 400)
    assert faults_left() == [], "a fault did not happen"
    c.close()


if __name__ == "__main__":
    code = 1
    try:
        globals()[sys.argv[1]]()
        wait("the commit of every row", lambda: uncommitted() == 0, 120)
        with open(os.environ["EXPECTED"], "w", encoding="utf-8") as file:
            for one in expected:
                file.write(json.dumps(one) + "\n")
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    sys.stdout.flush()
    # A client that was given up may hang in its destructor.
    os._exit(code)
