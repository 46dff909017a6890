-- The way from the bucket into the table: storage integration, stage, pipe.
--
-- Safe to run twice: what exists is left alone. Replace the three values in angle brackets first:
--   <bucket>     the name in S3_BUCKET
--   <account>    the AWS account number
--   <role>       the IAM role Snowflake reads with (sql/classic/snowflake-read-policy.json is its policy)
-- The stage must point at S3_FILE_PREFIX and no higher: the quarantine lies beside it and is not to be loaded.

USE ROLE ACCOUNTADMIN; -- CREATE INTEGRATION is an account privilege

CREATE STORAGE INTEGRATION IF NOT EXISTS INVERTER_S3
    TYPE = EXTERNAL_STAGE
    STORAGE_PROVIDER = 'S3'
    ENABLED = TRUE
    STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::<account>:role/<role>'
    STORAGE_ALLOWED_LOCATIONS = ('s3://<bucket>/inverter-data/');

-- Put STORAGE_AWS_IAM_USER_ARN and STORAGE_AWS_EXTERNAL_ID from this answer into the role's trust policy
-- (sql/classic/snowflake-trust-policy.json).
DESCRIBE INTEGRATION INVERTER_S3;

GRANT USAGE ON INTEGRATION INVERTER_S3 TO ROLE SYSADMIN;
USE ROLE SYSADMIN;
USE SCHEMA DEMO.DEMO;

-- STRIP_OUTER_ARRAY takes arrays apart (S3_FORMAT=array) and does nothing to lines (the default). COMPRESSION = AUTO
-- goes by the name, so .json and .json.gz (S3_COMPRESS=gzip) may lie side by side.
CREATE STAGE IF NOT EXISTS INVERTER_STAGE
    URL = 's3://<bucket>/inverter-data/'
    STORAGE_INTEGRATION = INVERTER_S3
    FILE_FORMAT = (TYPE = JSON COMPRESSION = AUTO STRIP_OUTER_ARRAY = TRUE);

-- A pipe remembers by name, for 14 days, what it has loaded. Together with names that are never used twice that is what
-- makes each object load once; replacing the pipe forgets it, so it is not replaced here.
CREATE PIPE IF NOT EXISTS INVERTER_PIPE
    AUTO_INGEST = TRUE
    COMMENT = 'Classic Snowpipe: inverter readings from S3'
AS
COPY INTO INVERTER_DATA_RAW (FILE_NAME, JSON_BODY, FILE_CONTENT_KEY, FILE_LAST_MODIFIED, START_SCAN_TIME)
FROM (
    SELECT
        METADATA$FILENAME,
        $1,
        METADATA$FILE_CONTENT_KEY,
        METADATA$FILE_LAST_MODIFIED, -- a TIMESTAMP_NTZ already, as S3 says it: in UTC
        CONVERT_TIMEZONE('UTC', METADATA$START_SCAN_TIME)::TIMESTAMP_NTZ
    FROM @INVERTER_STAGE
);

-- The column notification_channel is the SQS queue: set it as the target of the bucket's notification for
-- s3:ObjectCreated:* with the prefix inverter-data/ (Properties > Event notifications, or
-- aws s3api put-bucket-notification-configuration).
SHOW PIPES LIKE 'INVERTER_PIPE';

-- What was uploaded before the notification existed:
-- ALTER PIPE INVERTER_PIPE REFRESH;

-- Is it running, and what did it refuse?
-- SELECT SYSTEM$PIPE_STATUS('DEMO.DEMO.INVERTER_PIPE');
-- SELECT * FROM TABLE(VALIDATE_PIPE_LOAD(PIPE_NAME => 'DEMO.DEMO.INVERTER_PIPE', START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP())));
