using System.Text;
using Google.Protobuf;
using ThermalStreaming.Testing;
using Xunit.Abstractions;

namespace ThermalStreaming.Readings.Tests;

public sealed class FuzzTests(ITestOutputHelper output)
{
    const int Rounds = 60_000;

    static readonly string[] Spanners = ["\\ud800", "\\udc00", "\\u0000", "1e999", "null", "\"sequence\":", "\"observed_at\":", "\"device_id\":"];

    [Theory]
    [InlineData(false, ReadingKind.Thermal)]
    [InlineData(false, ReadingKind.Inverter)]
    [InlineData(true, ReadingKind.Thermal)]
    [InlineData(true, ReadingKind.Inverter)]
    public void Whatever_arrives_is_either_readings_or_a_PayloadException(bool isJson, ReadingKind kind)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        byte[][] samples = isJson ? JsonSamples(kind) : ProtobufSamples(kind);
        var read = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Mutate(samples[random.Next(samples.Length)], random);
            try
            {
                var payload = Payload.Decode(bytes, isJson, "topic-device", kind, Rows.ReceivedAt);
                // What was accepted must hold up to everything that is done with it later.
                for (var i = 0; i < payload.Count; i++)
                {
                    payload.Row(i);
                    Assert.True(Topics.IsDeviceId(payload.Identity(i).DeviceId));
                    _ = payload.ObservedAt(i);
                    if (kind == ReadingKind.Inverter)
                    {
                        foreach (var rule in InverterRule.All)
                            rule.Broken(payload.Inverter(i));
                    }
                }
                var again = Payload.Decode(payload.Select([.. Enumerable.Range(0, payload.Count)]), isJson, "topic-device", kind, Rows.ReceivedAt);
                Assert.Equal(payload.Count, again.Count);
                Assert.Equal(payload.Row(0), again.Row(0));
                read++;
            }
            catch (PayloadException)
            {
                // As it should be.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}, {Convert.ToHexString(bytes)}: {e}");
            }
        }

        // Otherwise the mutations are too wild to test anything behind the decoder.
        Assert.InRange(read, Rounds / 100, Rounds);
    }

    static byte[][] ProtobufSamples(ReadingKind kind)
    {
        if (kind == ReadingKind.Thermal)
            return [Rows.Batch(Rows.Full(1)).ToByteArray(), Rows.Batch(Rows.Full(1), new ThermalReading { Sequence = 2 }).ToByteArray()];
        var batch = new ReadingBatch { DeviceId = "pi-1", BootId = "b" };
        batch.Inverters.Add(Rows.Inverter(1));
        batch.Inverters.Add(new InverterReading { Sequence = 2, InverterId = "Inverter_2" });
        return [batch.ToByteArray()];
    }

    static byte[][] JsonSamples(ReadingKind kind)
    {
        string[] texts = kind == ReadingKind.Thermal
            ? [Rows.Decode(Rows.Batch(Rows.Full(1))).Row(), """[{"temperature":1,"x":{"y":[1,2,"\u00fc"]}},{"ts":5,"observed_at":"2026-01-01"}]""", "{\"host\":\"a\\ud83d\\ude00\",\n\"n\":\"\\\"\"}"]
            : ["""{"id":"Inverter_1","PAC":1,"observed_at":12.5}""", """{"id":"\ud83d\ude00","temperature":1e3,"zz":null,"fault_status":"Overheat"}"""];
        return [.. texts.Select(Encoding.UTF8.GetBytes)];
    }

    static byte[] Mutate(byte[] sample, Random random)
    {
        var bytes = sample.ToList();
        for (var edits = random.Next(4); edits >= 0 && bytes.Count > 0; edits--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(8, bytes.Count - at) + 1));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, random.Next(1, Math.Min(16, bytes.Count - at) + 1)));
                    break;
                case 4:
                    bytes.Insert(at, "\"\\{}[],:0-.eE\n "u8[random.Next(15)]);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Spanners[random.Next(Spanners.Length)]));
                    break;
            }
        }
        return [.. bytes];
    }
}
