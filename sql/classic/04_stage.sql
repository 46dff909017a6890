-- Where the objects are and how they are read.
--
-- Safe to run twice: what exists is left alone. Replace <bucket> first: the name in S3_BUCKET. The stage must point at
-- S3_FILE_PREFIX and no higher: the quarantine lies beside it and is not to be loaded. The slash at the end belongs to it.

USE ROLE SYSADMIN;
USE SCHEMA DEMO.DEMO;

-- STRIP_OUTER_ARRAY takes arrays apart (S3_FORMAT=array) and does nothing to lines (the default). COMPRESSION = AUTO detects
-- the compression of each object, so .json and .json.gz (S3_COMPRESS=gzip) may lie side by side.
CREATE FILE FORMAT IF NOT EXISTS INVERTER_JSON
    TYPE = JSON
    COMPRESSION = AUTO
    STRIP_OUTER_ARRAY = TRUE
    COMMENT = 'Inverter readings: JSON lines, or one array';

CREATE STAGE IF NOT EXISTS INVERTER_STAGE
    URL = 's3://<bucket>/inverter-data/'
    STORAGE_INTEGRATION = INVERTER_S3
    FILE_FORMAT = (FORMAT_NAME = INVERTER_JSON)
    COMMENT = 'Inverter readings that the s3-forwarder uploads';

-- Can Snowflake read it? Lists the newest objects; an error names the missing right.
LIST @INVERTER_STAGE;
