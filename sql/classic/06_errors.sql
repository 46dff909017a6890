-- Notifies an SNS topic of every object that could not be loaded. Optional: COPY_HISTORY and 09_alerts.sql report them too.
--
-- Safe to run twice: what exists is left alone. Replace <account>, <region> and <role> first: the topic's ARN, and an IAM role
-- that may publish to it (sql/classic/aws/snowflake-errors-policy.json). Works for accounts of Snowflake that run on AWS, and
-- while the pipe has ON_ERROR = SKIP_FILE.

USE ROLE ACCOUNTADMIN;

CREATE NOTIFICATION INTEGRATION IF NOT EXISTS INVERTER_ERRORS
    ENABLED = TRUE
    DIRECTION = OUTBOUND
    TYPE = QUEUE
    NOTIFICATION_PROVIDER = AWS_SNS
    AWS_SNS_TOPIC_ARN = 'arn:aws:sns:<region>:<account>:inverter-load-errors'
    AWS_SNS_ROLE_ARN = 'arn:aws:iam::<account>:role/<role>';

-- Put SF_AWS_IAM_USER_ARN and SF_AWS_EXTERNAL_ID from this answer into the role's trust policy, as in 03_integration.sql.
DESCRIBE NOTIFICATION INTEGRATION INVERTER_ERRORS;

GRANT USAGE ON INTEGRATION INVERTER_ERRORS TO ROLE SYSADMIN;

USE ROLE SYSADMIN;
ALTER PIPE DEMO.DEMO.INVERTER_PIPE SET ERROR_INTEGRATION = INVERTER_ERRORS;

-- To stop it: ALTER PIPE DEMO.DEMO.INVERTER_PIPE UNSET ERROR_INTEGRATION;
