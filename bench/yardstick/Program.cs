using System.Globalization;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

// A subscriber on the common .NET client that takes messages, acknowledges them and does nothing else. How much processor time that takes says how fast this
// machine is now. Talks as the other subscriber does: "ready", then each number of its standard input when it has taken so many.
var total = 0L;
var taken = new SemaphoreSlim(0);
using var client = new MqttClientFactory().CreateMqttClient();
client.ApplicationMessageReceivedAsync += _ =>
{
    Interlocked.Increment(ref total);
    if (taken.CurrentCount == 0)
        taken.Release();
    return Task.CompletedTask;
};
await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", int.Parse(args[0], CultureInfo.InvariantCulture))
    .WithProtocolVersion(MqttProtocolVersion.V500).WithReceiveMaximum(100).WithClientId("bench-yardstick").Build());
await client.SubscribeAsync(args[1], MqttQualityOfServiceLevel.AtLeastOnce);
Console.WriteLine("ready");
while (Console.ReadLine() is { } line)
{
    var wanted = long.Parse(line, CultureInfo.InvariantCulture);
    while (Interlocked.Read(ref total) < wanted)
        await taken.WaitAsync();
    Console.WriteLine(line);
}
