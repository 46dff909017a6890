using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The identity of a data directory, 8 hexadecimal digits, made once. It names the sessions at the broker: with another one nobody would fetch what the broker
/// holds for them. So it is kept twice, in <c>install-id</c> and <c>install-id.copy</c>, each sealed.
/// </summary>
static partial class InstallId
{
    /// <exception cref="IOException">The directory cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string Read(string dataDirectory, ILogger logger)
    {
        string[] paths = [Path.Combine(dataDirectory, "install-id"), Path.Combine(dataDirectory, "install-id.copy")];
        // Replicas that start together on a new volume must agree.
        using var making = FileLock.Open(paths[0] + ".lock");
        making.TakeAsync().GetAwaiter().GetResult();
        var found = Array.ConvertAll(paths, Load);
        var id = found[0] ?? found[1];
        if (id is null)
        {
            if (paths.Any(File.Exists))
                LogLost(logger, dataDirectory);
            id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
        }
        for (var i = 0; i < paths.Length; i++)
        {
            if (found[i] == id)
                continue;
            if (found[i] is null && File.Exists(paths[i]))
                LogDamaged(logger, paths[i]);
            DurableFile.Replace(paths[i], SmallFile.Seal(id));
        }
        return id;
    }

    static string? Load(string path)
        => File.Exists(path) && SmallFile.Open(File.ReadAllBytes(path)) is { Length: 8 } id && id.All(char.IsAsciiHexDigitLower) ? id : null;

    [LoggerMessage(EventId = 145, Level = LogLevel.Error, Message = "{Path} was damaged and is written anew. Check the storage (dmesg, SD card)")]
    static partial void LogDamaged(ILogger logger, string path);

    [LoggerMessage(EventId = 146, Level = LogLevel.Error, Message =
        "The identity of {Directory}, install-id and its copy, is damaged; it gets a new one. The broker keeps what it holds for the old one's sessions, and their share of new messages, until it is started again or they expire: "
        + "restart the broker. Check the storage (dmesg, SD card)")]
    static partial void LogLost(ILogger logger, string directory);
}
