using ThermalStreaming.Hosting;

namespace ThermalStreaming.Console;

/// <summary>The step of <c>check</c> that tests whether the history can be written.</summary>
static class HistoryCheck
{
    public static CheckResult Run(string directory)
    {
        var probe = Path.Combine(directory, ".console-check");
        try
        {
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            return CheckResult.Ok($"{directory} can be written");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CheckResult.Warning(
                $"{directory} cannot be written ({Settings.Reason(e)})",
                "The page works, but its charts are empty after each start.",
                "Check the disk (df, dmesg) and the owner of the volume console-data: user id 1654."
            );
        }
    }
}
