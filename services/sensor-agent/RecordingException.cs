namespace ThermalStreaming.SensorAgent;

/// <summary>A recorded file, the position of its replay, or what the outbox has of it cannot be read now. It is tried again.</summary>
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
