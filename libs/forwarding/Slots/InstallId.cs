using Microsoft.Extensions.Logging;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The identity of a data directory, 8 hexadecimal digits, made once. Where the credentials have no identity of the installation (outside
/// Compose), it names the sessions at the broker. Without it, no slot would fetch the messages that the broker holds for those sessions. So
/// it is kept twice, in <c>install-id</c> and <c>install-id.copy</c> (<see cref="TwinFile"/>).
/// </summary>
static partial class InstallId
{
    /// <exception cref="IOException">The directory cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public static string Read(string dataDirectory, ILogger logger)
    {
        var path = Path.Combine(dataDirectory, "install-id");
        // Replicas that start together on a new volume must agree.
        using var making = FileLock.OpenToHold(path + ".lock");
        making.TakeAsync().GetAwaiter().GetResult();
        var id = TwinFile.Load(path, out var damaged);
        if (id is not null)
        {
            if (damaged.Count > 0)
                LogDamaged(logger, damaged[0]);
            return id;
        }
        if (damaged.Count > 0)
            LogLost(logger, dataDirectory);
        id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
        TwinFile.Save(path, id);
        return id;
    }

    [LoggerMessage(
        EventId = 145,
        Level = LogLevel.Error,
        Message = "{Path} was corrupt; restored it from its copy. Check the storage (dmesg, SD card)"
    )]
    static partial void LogDamaged(ILogger logger, string path);

    [LoggerMessage(
        EventId = 146,
        Level = LogLevel.Error,
        Message = "The identity of {Directory}, install-id and its copy, is corrupt; it gets a new one. The broker keeps the "
            + "sessions of the old identity, and gives them a share of new messages until they expire. mosquitto 2.0 keeps them "
            + "until it is restarted, so restart it. Check the storage (dmesg, SD card)"
    )]
    static partial void LogLost(ILogger logger, string directory);
}
