#!/bin/bash
# Makes the bucket, and the queue that Snowpipe's auto-ingest listens to. The bucket notifies the queue of every new object under
# the prefix. In a real account, people or IaC do this. Runs at every start; each step may be repeated.
set -euo pipefail

bucket=${S3_BUCKET:?}
prefix=${S3_FILE_PREFIX:?}
queue=${SQS_QUEUE:?}
region=${AWS_DEFAULT_REGION:?}

if ! awslocal s3api head-bucket --bucket "$bucket" >/dev/null 2>&1; then
    where=()
    [[ $region == us-east-1 ]] || where=(--create-bucket-configuration "LocationConstraint=$region")
    awslocal s3api create-bucket --bucket "$bucket" "${where[@]}" >/dev/null
fi

url=$(awslocal sqs create-queue --queue-name "$queue" --query QueueUrl --output text)
arn=$(awslocal sqs get-queue-attributes --queue-url "$url" --attribute-names QueueArn --query Attributes.QueueArn --output text)

# Without this policy S3 may not send to the queue: a real account refuses the notification that follows.
policy=$(printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"%s","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::%s"}}}]}' "$arn" "$bucket")
awslocal sqs set-queue-attributes --queue-url "$url" --attributes "{\"Policy\": \"${policy//\"/\\\"}\"}"

awslocal s3api put-bucket-notification-configuration --bucket "$bucket" --notification-configuration "{
  \"QueueConfigurations\": [{
    \"Id\": \"snowpipe\", \"QueueArn\": \"$arn\", \"Events\": [\"s3:ObjectCreated:*\"],
    \"Filter\": {\"Key\": {\"FilterRules\": [{\"Name\": \"prefix\", \"Value\": \"$prefix\"}]}}
  }]
}"
echo "bucket $bucket notifies queue $queue of new objects under $prefix"
