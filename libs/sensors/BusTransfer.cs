namespace ThermalStreaming.Sensors;

/// <summary>One transfer waiting for the bus thread.</summary>
sealed class BusTransfer(int address, byte[] toWrite, int toRead, CancellationToken cancellationToken)
{
    public int Address { get; } = address;

    /// <summary>If empty, only read.</summary>
    public byte[] ToWrite { get; } = toWrite;

    /// <summary>If 0, only write. If there is something to write, read after it with a repeated start.</summary>
    public int ToRead { get; } = toRead;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    // The bus thread must not run the code that waits for the result.
    public TaskCompletionSource<TransferResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
