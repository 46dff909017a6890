-- The user that the forwarder signs in as: a service, with a key pair and no password.
--
-- Safe to run twice: an existing user is left alone.

USE ROLE USERADMIN;
CREATE USER IF NOT EXISTS THERMAL_STREAMING_USER
    TYPE = SERVICE
    LOGIN_NAME = 'THERMAL_STREAMING_USER' -- SNOWFLAKE_USER is this name, not the user's NAME
    DEFAULT_ROLE = THERMAL_STREAMING_ROLE
    DEFAULT_NAMESPACE = DEMO.DEMO
    COMMENT = 'Thermal Streaming: the forwarder on the Pi';

USE ROLE SECURITYADMIN;
GRANT ROLE THERMAL_STREAMING_ROLE TO USER THERMAL_STREAMING_USER;

-- The public key. ./up prints this statement, complete, when it makes the key pair; so does the verb keygen.
-- ALTER USER THERMAL_STREAMING_USER SET RSA_PUBLIC_KEY = '<content of rsa_key.pub without its first and last line>';

-- RSA_PUBLIC_KEY_FP must be the fingerprint that ./check shows.
DESCRIBE USER THERMAL_STREAMING_USER;

-- A new key without a pause (docs/operations.md, Rotating keys and passwords): register it as the second, replace the
-- file, see ./check show the new fingerprint, then remove the first. The next time, the other way round.
-- ALTER USER THERMAL_STREAMING_USER SET RSA_PUBLIC_KEY_2 = '<new key>';
-- ALTER USER THERMAL_STREAMING_USER UNSET RSA_PUBLIC_KEY;

-- Optional: allow sign-ins from your own network alone. Put in the public address of your network, and run this from that
-- network. A policy without this address stops the forwarder, which says so; readings wait on its disk.
-- USE ROLE SECURITYADMIN;
-- CREATE NETWORK POLICY IF NOT EXISTS THERMAL_STREAMING_NETWORK ALLOWED_IP_LIST = ('<203.0.113.7/32>');
-- ALTER USER THERMAL_STREAMING_USER SET NETWORK_POLICY = THERMAL_STREAMING_NETWORK;

-- Instead of a key pair: a programmatic access token (SNOWFLAKE_AUTH=Pat). A service user needs the network policy above
-- before it may use one, and a token restricted to one role. The token is shown once; it expires on its day.
-- ALTER USER THERMAL_STREAMING_USER ADD PROGRAMMATIC ACCESS TOKEN THERMAL_PI
--     ROLE_RESTRICTION = 'THERMAL_STREAMING_ROLE' DAYS_TO_EXPIRY = 90;
