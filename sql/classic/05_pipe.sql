-- The pipe: it loads each object that the bucket announces. Safe to run twice: what exists is left alone.

USE ROLE SYSADMIN;
USE SCHEMA DEMO.DEMO;

-- A pipe remembers by name, for 14 days, what it has loaded. Together with names that are never used twice that is what
-- makes each object load once; replacing the pipe forgets it, so it is not replaced here.
--
-- ON_ERROR = SKIP_FILE is a pipe's default: of an object with one bad record nothing is loaded, COPY_HISTORY says so
-- (07_monitoring.sql), and the corrected object must be uploaded under another name.
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
)
ON_ERROR = SKIP_FILE;

-- The column notification_channel is the SQS queue: set it as the target of the bucket's notification for
-- s3:ObjectCreated:* with the prefix inverter-data/ (Properties > Event notifications, or
-- aws s3api put-bucket-notification-configuration).
SHOW PIPES LIKE 'INVERTER_PIPE';
