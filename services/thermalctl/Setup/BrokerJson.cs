using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ThermalStreaming.Thermalctl;

/// <summary>The documents of Mosquitto's dynamic-security plugin.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BrokerRules))]
[JsonSerializable(typeof(BrokerCommands))]
sealed partial class BrokerJson : JsonSerializerContext
{
    /// <summary>Leaves hashes and topics unescaped, so that `broker` finds its marks and people can read the rest.</summary>
    public static BrokerJson Readable { get; } =
        new(
            new JsonSerializerOptions
            {
                DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
                Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            }
        );
}
