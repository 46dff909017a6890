using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>What a user may do if no rule applies: only unsubscribe.</summary>
sealed record DefaultAccess(
    [property: JsonPropertyName("publishClientSend")] bool Send = false,
    [property: JsonPropertyName("publishClientReceive")] bool Receive = false,
    [property: JsonPropertyName("subscribe")] bool Subscribe = false,
    [property: JsonPropertyName("unsubscribe")] bool Unsubscribe = true
);
