-- The database and schema that hold everything this project streams.
--
-- Safe to run twice. Run with a role that may create databases (SYSADMIN is enough).
-- The names are the ones the original project used, so an installation that has them keeps its data.

CREATE DATABASE IF NOT EXISTS DEMO
    COMMENT = 'Sensor readings from Raspberry Pis';

CREATE SCHEMA IF NOT EXISTS DEMO.DEMO
    COMMENT = 'Tables and pipes of Thermal Streaming';
