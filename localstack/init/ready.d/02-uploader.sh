#!/bin/bash
# Makes the uploading user with its rights, and sets the bucket's lifecycle, from the same files with which docs/s3-snowpipe.md does this in a
# real account. Runs at every start; each step may be repeated. Neither LocalStack nor its stand-in enforces policies.
set -euo pipefail

bucket=${S3_BUCKET:?}
user=thermal-streaming-uploader

awslocal s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration "$(cat /etc/localstack/aws/lifecycle.json)"

policy=$(sed "s/<bucket>/$bucket/g" /etc/localstack/aws/uploader-policy.json)
awslocal iam get-user --user-name "$user" >/dev/null 2>&1 || awslocal iam create-user --user-name "$user" >/dev/null
awslocal iam put-user-policy --user-name "$user" --policy-name upload --policy-document "$policy"
echo "user $user may upload to bucket $bucket"
