using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>What a user may do that no rule speaks of: nothing but to unsubscribe.</summary>
sealed record DefaultAccess(
    [property: JsonPropertyName("publishClientSend")] bool Send = false,
    [property: JsonPropertyName("publishClientReceive")] bool Receive = false,
    [property: JsonPropertyName("subscribe")] bool Subscribe = false,
    [property: JsonPropertyName("unsubscribe")] bool Unsubscribe = true
);
