namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Why a log-in failed: the code and name of SYSTEM$GET_LOGIN_FAILURE_DETAILS, and what to do about it.</summary>
sealed record LoginFailure(string Code, string Name, string Advice);
