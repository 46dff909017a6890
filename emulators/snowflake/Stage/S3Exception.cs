namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>A request that the stage refuses, in the words of S3.</summary>
sealed class S3Exception(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    /// <summary>S3's error code, as in SignatureDoesNotMatch.</summary>
    public string Code { get; } = code;
}
