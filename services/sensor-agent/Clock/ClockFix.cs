using System.Globalization;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The offset that turns the time since one start of the machine into the time of day. It applies to readings taken up to
/// <see cref="Until"/> and after the previous fix.
/// </summary>
/// <param name="BootId">Identifies that start of the machine.</param>
/// <param name="Until">Time since that start.</param>
/// <param name="Offset">From the time since that start to the time since 1970.</param>
/// <param name="IsFlagged">Patience ended without a synchronised clock: readings keep the time that the clock showed, and say so.</param>
readonly record struct ClockFix(string BootId, TimeSpan Until, TimeSpan Offset, bool IsFlagged)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{BootId},{Until.Ticks},{Offset.Ticks},{(IsFlagged ? 1 : 0)}");

    /// <summary>Reads what <see cref="ToString"/> writes; null for any other text.</summary>
    public static ClockFix? Parse(string text) =>
        text.Split(',') is [var boot, var until, var offset, "0" or "1"]
        && long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var untilTicks)
        && long.TryParse(offset, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var offsetTicks)
            ? new ClockFix(boot, TimeSpan.FromTicks(untilTicks), TimeSpan.FromTicks(offsetTicks), text[^1] == '1')
            : null;
}
