-- The right to read the bucket: a storage integration, which assumes an IAM role.
--
-- Safe to run twice: what exists is left alone. Replace the three values in angle brackets first:
--   <bucket>     the name in S3_BUCKET
--   <account>    the AWS account number
--   <role>       the IAM role Snowflake reads with (sql/classic/aws/snowflake-read-policy.json is its policy)
-- Replacing the integration later changes its external id; the role's trust policy must then be changed too.

USE ROLE ACCOUNTADMIN; -- CREATE INTEGRATION is an account privilege

CREATE STORAGE INTEGRATION IF NOT EXISTS INVERTER_S3
    TYPE = EXTERNAL_STAGE
    STORAGE_PROVIDER = 'S3'
    ENABLED = TRUE
    STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::<account>:role/<role>'
    STORAGE_ALLOWED_LOCATIONS = ('s3://<bucket>/inverter-data/');

GRANT USAGE ON INTEGRATION INVERTER_S3 TO ROLE SYSADMIN;

-- Put STORAGE_AWS_IAM_USER_ARN and STORAGE_AWS_EXTERNAL_ID from this answer into the role's trust policy
-- (sql/classic/aws/snowflake-trust-policy.json).
DESCRIBE INTEGRATION INVERTER_S3;
