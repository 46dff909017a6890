using System.Globalization;

namespace ThermalStreaming.Sensors;

/// <summary>What an SGP30 has learned of clean air. Learning takes 12 h, and is lost with the sensor's supply.</summary>
/// <param name="Serial">Serial number of the sensor that learned it; no other sensor can use it.</param>
/// <param name="EquivalentCo2">The sensor's word, unmodified.</param>
/// <param name="Tvoc">The sensor's word, unmodified.</param>
/// <param name="At">When it was read.</param>
sealed record Sgp30Baseline(ulong Serial, ushort EquivalentCo2, ushort Tvoc, Moment At)
{
    /// <summary>Older baselines no longer apply.</summary>
    static readonly TimeSpan MostAge = TimeSpan.FromDays(7);

    /// <summary>
    /// For a kernel that does not say whether its clock is right: a Pi without a battery starts with the time of its last shutdown, so a
    /// baseline may seem to come from this far ahead.
    /// </summary>
    static readonly TimeSpan MostAhead = TimeSpan.FromHours(2);

    /// <summary>Whether it is young enough; null if unknown, because a clock was or is not synchronised.</summary>
    public bool? IsFresh(Moment now)
    {
        // Within one start of the machine the time of day is not needed.
        if (At.BootId.Length > 0 && At.BootId == now.BootId)
            return now.SinceBoot - At.SinceBoot <= MostAge;
        if (At.Utc is not { } read)
            return false;
        return now.Utc is { } utc ? utc - read <= MostAge && read - utc <= MostAhead : null;
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"sgp30 serial={Serial:X12} eco2={EquivalentCo2:X4} tvoc={Tvoc:X4} at={At.Utc?.ToUnixTimeSeconds() ?? 0} "
                + $"boot={At.BootId} up={(long)At.SinceBoot.TotalSeconds}"
        );

    /// <summary>Reads what <see cref="ToString"/> writes, and the shorter lines of earlier versions; null for any other text.</summary>
    public static Sgp30Baseline? Parse(string line)
    {
        const NumberStyles hex = NumberStyles.AllowHexSpecifier;
        var culture = CultureInfo.InvariantCulture;
        return
            line.Split(' ')
                is [
                    "sgp30",
                    ['s', 'e', 'r', 'i', 'a', 'l', '=', .. var serial],
                    ['e', 'c', 'o', '2', '=', .. var eco2],
                    ['t', 'v', 'o', 'c', '=', .. var tvoc],
                    ['a', 't', '=', .. var at],
                    .. var rest,
                ]
            && ulong.TryParse(serial, hex, culture, out var serialNumber)
            && ushort.TryParse(eco2, hex, culture, out var equivalent)
            && ushort.TryParse(tvoc, hex, culture, out var total)
            && long.TryParse(at, NumberStyles.None, culture, out var seconds)
            && seconds < 253_402_300_800
            ? new Sgp30Baseline(
                serialNumber,
                equivalent,
                total,
                new Moment(
                    seconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(seconds),
                    rest is [['b', 'o', 'o', 't', '=', .. var boot], ..] ? boot : "",
                    rest is [_, ['u', 'p', '=', .. var up]]
                    && long.TryParse(up, NumberStyles.None, culture, out var since)
                    && since < int.MaxValue
                        ? TimeSpan.FromSeconds(since)
                        : default
                )
            )
            : null;
    }
}
