namespace ThermalStreaming.Journal;

/// <summary>Another process, or another instance in this process, has the journal open. Nothing was read or changed.</summary>
public sealed class JournalLockedException : IOException
{
    public JournalLockedException() { }

    public JournalLockedException(string message)
        : base(message) { }

    public JournalLockedException(string message, Exception innerException)
        : base(message, innerException) { }
}
