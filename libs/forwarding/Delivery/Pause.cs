using System.Globalization;

namespace ThermalStreaming.Forwarding;

/// <summary>A pause of delivery.</summary>
/// <param name="Since">Since when.</param>
/// <param name="Reason">Why, in the words of the person who paused it; may be empty.</param>
sealed record Pause(DateTimeOffset Since, string Reason)
{
    /// <summary>For the log and <c>/readyz</c>.</summary>
    public string Text =>
        string.Create(CultureInfo.InvariantCulture, $"paused since {Since:yyyy-MM-dd HH:mm:ss} UTC")
        + (Reason.Length == 0 ? "" : $" because {Reason.TrimEnd('.')}")
        + "; new readings are kept in the journal until it is full";
}
