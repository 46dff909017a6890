using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Sensors;

/// <summary>Keeps the baseline of each SGP30 in its own file, in two copies, durably. Not thread-safe for one sensor.</summary>
/// <param name="directory">Created when the first baseline is saved.</param>
/// <param name="logger">Receives an entry when the disk refuses.</param>
sealed partial class BaselineFile(string directory, ILogger logger)
{
    /// <summary>The baseline saved last; null if there is none that can be read.</summary>
    public Sgp30Baseline? Load(ulong serial)
    {
        try
        {
            var line = TwinFile.Load(PathOf(serial), out var damaged);
            foreach (var path in damaged)
                LogDamaged(path);
            return line is null ? null : Sgp30Baseline.Parse(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRefused(PathOf(serial), e.Message);
            return null;
        }
    }

    /// <summary>Saves it. If the disk refuses, only the baseline is lost.</summary>
    /// <returns>Whether it is on disk.</returns>
    public bool Save(Sgp30Baseline baseline)
    {
        try
        {
            Directory.CreateDirectory(directory);
            TwinFile.Save(PathOf(baseline.Serial), baseline.ToString());
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogRefused(PathOf(baseline.Serial), e.Message);
            return false;
        }
    }

    string PathOf(ulong serial) => Path.Combine(directory, $"sgp30-{serial:X12}.baseline");

    [LoggerMessage(
        EventId = 710,
        Level = LogLevel.Warning,
        Message = "{Path} was corrupt; its copy is used if that is valid. Check the storage (dmesg, SD card)"
    )]
    partial void LogDamaged(string path);

    [LoggerMessage(
        EventId = 711,
        Level = LogLevel.Warning,
        Message = "{Path} cannot be used: {Reason}. Without it the SGP30 needs 12 h to learn clean air after its next start. Check the "
            + "data directory"
    )]
    partial void LogRefused(string path, string reason);
}
