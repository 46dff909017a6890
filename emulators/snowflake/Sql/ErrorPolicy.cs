namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>ON_ERROR: how to treat a file with records that cannot be loaded.</summary>
/// <param name="Limit">This many errors skip the file; null loads whatever can be loaded (CONTINUE).</param>
/// <param name="IsPercent">Whether <paramref name="Limit"/> is a percentage of the records.</param>
readonly record struct ErrorPolicy(int? Limit, bool IsPercent = false)
{
    /// <summary>One error skips the file. The default of a pipe.</summary>
    public static readonly ErrorPolicy SkipFile = new(1);

    public static readonly ErrorPolicy Continue = new(null);

    /// <summary>Whether a file is skipped regardless of its other records.</summary>
    /// <param name="errors">Records so far that cannot be loaded.</param>
    public bool SkipsAnyway(long errors) => !IsPercent && errors > 0 && errors >= Limit;

    /// <summary>Whether a file is skipped.</summary>
    /// <param name="errors">Records that cannot be loaded.</param>
    /// <param name="records">All records.</param>
    public bool Skips(long errors, long records) =>
        errors > 0 && Limit is { } limit && (IsPercent ? errors * 100 > records * limit : errors >= limit);
}
