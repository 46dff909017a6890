namespace ThermalStreaming.Sensors;

/// <summary>One transfer that waits for the bus thread.</summary>
sealed class BusTransfer(int address, byte[] toWrite, int toRead, CancellationToken cancellationToken)
{
    public int Address { get; } = address;

    /// <summary>Empty: only read.</summary>
    public byte[] ToWrite { get; } = toWrite;

    /// <summary>0: only write. With something to write: behind it, with a repeated start.</summary>
    public int ToRead { get; } = toRead;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    // The bus thread must not run what waits for the result.
    public TaskCompletionSource<TransferResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
