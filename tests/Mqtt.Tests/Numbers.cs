using System.Globalization;
using System.Text;

namespace ThermalStreaming.Mqtt.Tests;

/// <summary>Payloads that are numbers, so that a test sees what is missing, repeated or out of order; and texts.</summary>
static class Numbers
{
    public static byte[] Of(int number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    public static int Of(MqttMessage message) => int.Parse(message.Text(), CultureInfo.InvariantCulture);

    /// <summary>Publishes the numbers from one on, at once, with QoS 1.</summary>
    public static Task<MqttReasonCode[]> PublishNumbersAsync(this RunningClient publisher, string topic, int from, int count) =>
        Task.WhenAll(Enumerable.Range(from, count).Select(i => publisher.Client.PublishAsync(topic, Of(i), MqttQos.AtLeastOnce)));

    /// <summary>The payload as a text.</summary>
    public static string Text(this MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);
}
