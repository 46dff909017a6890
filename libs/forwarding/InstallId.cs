using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>The identity of a data directory: 8 hexadecimal digits in <c>install-id</c>, made once.</summary>
static class InstallId
{
    public static string Read(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, "install-id");
        // Replicas that start together on a new volume must agree.
        using var making = FileLock.Open(path + ".lock");
        making.TakeAsync().GetAwaiter().GetResult();
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: 8 } id && id.All(char.IsAsciiHexDigitLower))
            return id;
        id = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
        DurableFile.Replace(path, System.Text.Encoding.ASCII.GetBytes(id + "\n"));
        return id;
    }
}
