using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>What the forwarder logs, by the private method that logs it.</summary>
static class SnowpipeEvents
{
    public static readonly LogEvent ClockIsWrong = new(LogLevel.Warning, "LogClock");
    public static readonly LogEvent Statistics = new(LogLevel.Information, "LogStatistics");
    public static readonly LogEvent RowsRefused = new(LogLevel.Error, "LogRowErrors");
    public static readonly LogEvent ReadingRefused = new(LogLevel.Error, "LogRefused");
    public static readonly LogEvent TailLost = new(LogLevel.Error, "LogLostTail");
    public static readonly LogEvent Gap = new(LogLevel.Error, "LogGap");
    public static readonly LogEvent ForeignToken = new(LogLevel.Error, "LogForeignToken");
    public static readonly LogEvent ForeignEpoch = new(LogLevel.Warning, "LogForeignEpoch");
    public static readonly LogEvent RowsMissing = new(LogLevel.Error, "LogMissing");
    public static readonly LogEvent RecordDamaged = new(LogLevel.Error, "LogDamagedRecord");
    public static readonly LogEvent CopyDamaged = new(LogLevel.Error, "LogDamagedCopy");
}
