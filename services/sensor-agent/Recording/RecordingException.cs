namespace ThermalStreaming.SensorAgent;

/// <summary>A recorded file, its replay position, or what the outbox holds of it cannot be read now. The replay tries again.</summary>
sealed class RecordingException(Exception cause) : Exception(cause.Message, cause)
{
    /// <exception cref="RecordingException">The file system refuses.</exception>
    public static void Guard(Action use) =>
        Guard(() =>
        {
            use();
            return true;
        });

    /// <exception cref="RecordingException">The file system refuses.</exception>
    public static T Guard<T>(Func<T> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RecordingException(e);
        }
    }
}
