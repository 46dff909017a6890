using Microsoft.Win32.SafeHandles;
using ThermalStreaming.Journal;

namespace ThermalStreaming.Forwarding.Tests;

/// <summary>
/// A disk of which some calls fail with EIO, as a device does that fails for a moment: a read, a write (in part), an fsync, a rename, an
/// open.
/// </summary>
sealed class FaultyDisk : Disk
{
    int callsUntilFailure;
    int failures;

    /// <summary>Whether the scheduled failure has happened.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether every read fails.</summary>
    public bool FailsReads { get; set; }

    /// <summary>Reads give nothing behind this position, without an error.</summary>
    public long ReadableBytes { get; set; } = long.MaxValue;

    /// <summary>Called with what is read and its position, before it is given to the reader.</summary>
    public Action<Memory<byte>, long>? OnRead { get; set; }

    /// <summary>Lets calls fail.</summary>
    /// <param name="call">Which one from now on, from 1; 0 for none.</param>
    /// <param name="count">How many calls fail, one after the other.</param>
    public void Schedule(int call, int count = 1) => (callsUntilFailure, failures, HasFailed) = (call, count, false);

    public override SafeFileHandle OpenFile(string path, bool create)
    {
        Step();
        return base.OpenFile(path, create);
    }

    public override int Read(SafeFileHandle file, Span<byte> buffer, long position)
    {
        Step();
        if (FailsReads)
            throw Failure();
        var read = base.Read(file, buffer[..(int)Math.Clamp(ReadableBytes - position, 0, buffer.Length)], position);
        if (OnRead is not null)
        {
            var copy = buffer[..read].ToArray();
            OnRead(copy, position);
            copy.CopyTo(buffer);
        }
        return read;
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long position)
    {
        if (callsUntilFailure == 1)
            base.Write(file, bytes[..(bytes.Length / 2)], position);
        Step();
        base.Write(file, bytes, position);
    }

    public override void SetLength(SafeFileHandle file, long length)
    {
        Step();
        base.SetLength(file, length);
    }

    /// <summary>Never really: tests cut power by other means.</summary>
    public override void Flush(SafeFileHandle file) => Step();

    public override void FlushDirectory(string path) => Step();

    public override void Move(string from, string to)
    {
        Step();
        base.Move(from, to);
    }

    void Step()
    {
        if (callsUntilFailure == 0 || --callsUntilFailure > 0)
            return;
        HasFailed = true;
        callsUntilFailure = --failures > 0 ? 1 : 0;
        throw Failure();
    }

    static IOException Failure() => new("Input/output error", 5);
}
