namespace ThermalStreaming.Mqtt;

/// <summary>
/// Decides when a reader lets messages gather before it reads again. A broker writes each message separately. Read one by one, each message
/// wakes two threads, which costs more than all its processing. A message that comes alone never waits.
/// </summary>
/// <remarks>For one reader; not thread-safe.</remarks>
sealed class ReadPacing(TimeProvider clock)
{
    /// <summary>A read of fewer bytes brought one message or a few.</summary>
    const int SmallRead = 16 * 1024;

    /// <summary>How long messages gather.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    long lastRead = clock.GetTimestamp();

    /// <summary>Judges what the last read brought, once it has been handled.</summary>
    /// <param name="bytes">Bytes of that read.</param>
    /// <param name="hasMessages">Whether a message was among them, and not only acknowledgements and pings.</param>
    /// <returns>Whether to wait for <see cref="Pause"/> before the next read.</returns>
    public bool ShouldPause(int bytes, bool hasMessages) => hasMessages && bytes < SmallRead && clock.GetElapsedTime(lastRead) < 2 * Pause;

    /// <summary>The reader begins to read again.</summary>
    public void ReadingBegins() => lastRead = clock.GetTimestamp();
}
