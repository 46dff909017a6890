# Reads a whole bucket back with the AWS CLI and nothing of this project. Prints a line for each record of a device:
# the object, where it lies (data or quarantine), the record's number, and the rules that it broke.
import json, pathlib, subprocess, sys

bucket, device = sys.argv[1:]
here = pathlib.Path("/tmp/day")
subprocess.run(["awslocal", "s3", "sync", "--quiet", f"s3://{bucket}", str(here)], check=True)
for path in sorted(here.rglob("*")):
    if path.is_dir():
        continue
    key = str(path.relative_to(here))
    place = {"inverter-data": "data", "inverter-quarantine": "quarantine"}[key.split("/")[0]]
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            reading = record["reading"] if place == "quarantine" else record
            rules = [reason["rule"] for reason in record.get("reasons", [])]
            if reading["device_id"] != device:
                continue
            assert reading["observed_at"].startswith(key.split("/")[1]), f"{key} holds a reading of {reading['observed_at']}"
            print(key, place, reading["sequence"], reading["PAC"], ",".join(sorted(rules)), sep="\t")
