namespace ThermalStreaming.Hosting;

public partial class Kernel
{
    const int TimexOffset = 8;
    const int TimexMaxError = 24;
    const int OffsetInNanoseconds = 0x2000;

    /// <summary>
    /// How far the system clock is from the clock that it follows: the offset that adjtimex(2) still has to correct, positive when the
    /// system clock is behind, and the largest error that the NTP client gives. Null while the clock follows no other, or if the kernel
    /// does not say.
    /// </summary>
    public virtual (TimeSpan Offset, TimeSpan MaxError)? ClockDeviation()
    {
        Span<byte> timex = stackalloc byte[TimexBytes];
        timex.Clear();
        if (adjtimex(timex) < 0)
            return null;
        var status = BitConverter.ToInt32(timex[TimexStatus..]);
        if ((status & NotSynchronised) != 0)
            return null;
        var offset = BitConverter.ToInt64(timex[TimexOffset..]);
        return (
            (status & OffsetInNanoseconds) != 0 ? TimeSpan.FromTicks(offset / 100) : TimeSpan.FromMicroseconds(offset),
            TimeSpan.FromMicroseconds(BitConverter.ToInt64(timex[TimexMaxError..]))
        );
    }
}
