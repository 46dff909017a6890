using System.Globalization;
using System.Text;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding;

/// <summary>
/// The file <c>paused</c> of a data directory, which the replicas of a service share: delivery is paused while it is there. One sealed
/// line (<see cref="SmallFile"/>): seconds since 1970 and the reason in base64. Thread-safe; the last writer wins.
/// </summary>
/// <param name="directory">The data directory.</param>
sealed class PauseFile(string directory)
{
    readonly string path = Path.Combine(directory, "paused");

    /// <returns>Null when delivery is not paused. A damaged file also pauses delivery: only a person may resume it.</returns>
    /// <exception cref="IOException">It cannot be read now.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public Pause? Load()
    {
        try
        {
            return SmallFile.Open(File.ReadAllBytes(path)) is { } line && Parse(line) is { } pause
                ? pause
                : new Pause(new DateTimeOffset(File.GetLastWriteTimeUtc(path)), $"(the reason is lost: {path} is damaged)");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Save(Pause pause)
    {
        Directory.CreateDirectory(directory);
        var reason = Convert.ToBase64String(Encoding.UTF8.GetBytes(pause.Reason));
        var seconds = pause.Since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        DurableFile.Replace(path, SmallFile.Seal($"{seconds} {reason}"));
    }

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    public void Delete()
    {
        if (!File.Exists(path))
            return;
        File.Delete(path);
        DurableFile.FlushDirectory(directory);
    }

    static Pause? Parse(string line)
    {
        try
        {
            var words = line.Split(' ');
            return new Pause(
                DateTimeOffset.FromUnixTimeSeconds(long.Parse(words[0], CultureInfo.InvariantCulture)),
                Encoding.UTF8.GetString(Convert.FromBase64String(words[1]))
            );
        }
        catch (Exception e) when (e is FormatException or OverflowException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
