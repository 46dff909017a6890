using System.Buffers;
using System.Reflection;
using System.Text.Json;
using ThermalStreaming.Readings;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// The messages to Home Assistant (https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, from version 2024.11).
/// </summary>
static class HomeAssistantMessages
{
    static readonly string version =
        typeof(HomeAssistantMessages).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";

    /// <summary>The discovery message: the device and the values that it delivers.</summary>
    /// <param name="deviceId">Id of the device.</param>
    /// <param name="entities">The values that it delivers.</param>
    /// <param name="expiry">How long a state is valid without a newer one; at least a second.</param>
    public static byte[] Discovery(string deviceId, IEnumerable<HomeAssistantEntity> entities, TimeSpan expiry)
    {
        var name = HomeAssistantTopics.ObjectId(deviceId);
        return Write(json =>
        {
            json.WriteStartObject("device"u8);
            json.WriteStartArray("identifiers"u8);
            json.WriteStringValue($"thermal_streaming_{name}");
            json.WriteEndArray();
            json.WriteString("name"u8, deviceId);
            json.WriteString("manufacturer"u8, "Thermal Streaming");
            json.WriteString("model"u8, "sensor-agent");
            json.WriteString("sw_version"u8, version);
            json.WriteEndObject();
            json.WriteStartObject("origin"u8);
            json.WriteString("name"u8, "Thermal Streaming sensor-agent");
            json.WriteString("sw_version"u8, version);
            json.WriteEndObject();
            json.WriteString("state_topic"u8, HomeAssistantTopics.State(deviceId));
            json.WriteString("availability_topic"u8, Topics.Status(deviceId));
            json.WriteStartObject("components"u8);
            foreach (var entity in entities)
            {
                json.WriteStartObject(entity.Key);
                json.WriteString("platform"u8, entity.IsState ? "binary_sensor" : "sensor");
                json.WriteString("unique_id"u8, $"thermal_streaming_{name}_{entity.Key}");
                json.WriteString("name"u8, entity.Name);
                if (entity.DeviceClass is { } deviceClass)
                    json.WriteString("device_class"u8, deviceClass);
                if (entity.IsState)
                {
                    // The template's output for the numbers in the state's JSON.
                    json.WriteString("payload_on"u8, "1");
                    json.WriteString("payload_off"u8, "0");
                }
                else
                {
                    json.WriteString("state_class"u8, "measurement");
                    if (entity.Unit is { } unit)
                        json.WriteString("unit_of_measurement"u8, unit);
                    json.WriteNumber("suggested_display_precision"u8, entity.Decimals);
                }
                json.WriteString("value_template"u8, $"{{{{ value_json.{entity.Key} }}}}");
                json.WriteNumber("expire_after"u8, (long)Math.Ceiling(expiry.TotalSeconds));
                if (entity.IsDiagnostic)
                    json.WriteString("entity_category"u8, "diagnostic");
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    /// <summary>
    /// The values of a reading, for the state topic. A value that the reading does not have is null; Home Assistant shows it as unknown.
    /// </summary>
    public static byte[] State(ThermalReading reading, IEnumerable<HomeAssistantEntity> entities) =>
        Write(json =>
        {
            foreach (var entity in entities)
            {
                if (entity.Value(reading) is { } value && double.IsFinite(value))
                    json.WriteNumber(entity.Key, Math.Round(value, entity.Decimals));
                else
                    json.WriteNull(entity.Key);
            }
        });

    static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
