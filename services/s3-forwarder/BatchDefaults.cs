namespace ThermalStreaming.S3Forwarder;

/// <summary>The defaults of a <see cref="BatchPreset"/>.</summary>
/// <param name="Files">Default of NUM_FILES.</param>
/// <param name="MaxReadings">Default of S3_BATCH_MAX_READINGS.</param>
/// <param name="MaxBytes">Default of S3_BATCH_MAX_BYTES.</param>
/// <param name="Compression">Default of S3_COMPRESS.</param>
sealed record BatchDefaults(int Files, int MaxReadings, int MaxBytes, ObjectCompression Compression)
{
    public static BatchDefaults Of(BatchPreset preset) =>
        preset == BatchPreset.LargeFiles
            // The size is a safe estimate, and a batch is in memory as it arrived: 100 MB are 83,000 readings of the agent, 10 MB.
            ? new(1, 1_000_000, 100_000_000, ObjectCompression.Gzip)
            : new(4, 20_000, 8 << 20, ObjectCompression.None);
}
