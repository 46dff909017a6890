using System.Text;
using System.Text.Json;
using Google.Protobuf;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Readings.Tests;

public sealed class FuzzTests(ITestOutputHelper output)
{
    const int Rounds = 60_000;

    static readonly string[] Spanners =
    [
        "\\ud800",
        "\\udc00",
        "\\u0000",
        "1e999",
        "null",
        "\"sequence\":",
        "\"observed_at\":",
        "\"device_id\":",
    ];

    [Theory]
    [InlineData(false, ReadingKind.Thermal)]
    [InlineData(false, ReadingKind.Inverter)]
    [InlineData(true, ReadingKind.Thermal)]
    [InlineData(true, ReadingKind.Inverter)]
    public void Whatever_arrives_is_either_readings_or_a_PayloadException(bool isJson, ReadingKind kind)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var checker = new RuleChecker(
            RuleFileTests.Rules(
                """
                {
                  "thermal": [
                    { "metric": "temperature", "minimum": 0, "maximum": 30 },
                    { "metric": "hostname", "allowed": ["pi"] },
                    { "metric": "extra", "own_key": true, "required": true, "cases": [{ "if": { "co2": { "above": 500 } }, "below": 7 }] }
                  ],
                  "inverter": [
                    { "metric": "PAC", "minimum": 1000, "maximum": 5000, "required": true },
                    { "metric": "fault_status", "allowed": ["None"], "required": true }
                  ]
                }
                """
            )
        );
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
                    var row = payload.Row(i);
                    if (!payload.Problems.ContainsKey(i))
                        Assert.Equal(row.Length, JsonDocument.Parse(row).RootElement.GetRawText().Length);
                    Assert.True(Topics.IsDeviceId(payload.Identity(i).DeviceId));
                    _ = payload.ObservedAt(i);
                    if (!payload.Problems.ContainsKey(i))
                        Assert.Equal(checker.Rejects(payload, i), checker.Broken(payload, i, rejectingOnly: true).Count > 0);
                }
                // As intake does: what cannot be taken is left out.
                int[] good = [.. Enumerable.Range(0, payload.Count).Where(i => !payload.Problems.ContainsKey(i))];
                if (good.Length > 0)
                {
                    var again = Payload.Decode(payload.Select(good), isJson, "topic-device", kind, Rows.ReceivedAt);
                    Assert.Equal(good.Select(i => payload.Row(i)), Enumerable.Range(0, again.Count).Select(i => again.Row(i)));
                    Assert.Empty(again.Problems);
                }
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

    /// <summary>
    /// JSON that is spelled plainly is read by a reader of its own. An escape in a key says the same and is not plain, so both readers can
    /// be asked.
    /// </summary>
    [Theory]
    [InlineData(ReadingKind.Thermal)]
    [InlineData(ReadingKind.Inverter)]
    public void Plain_JSON_means_what_it_means_spelled_otherwise(ReadingKind kind)
    {
        var (random, seed) = Seed.Next();
        output.WriteLine($"THERMAL_TEST_SEED={seed}");
        var (plainKey, escapedKey) = kind == ReadingKind.Thermal ? ("\"uuid\"", "\"\\u0075uid\"") : ("\"id\"", "\"\\u0069d\"");
        var read = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var text = Objects(random, kind);
            if (random.Next(4) == 0)
                text = Encoding.Latin1.GetString(Mutate(Encoding.Latin1.GetBytes(text), random));
            var other = text.Replace(plainKey, escapedKey, StringComparison.Ordinal);
            if (other == text)
                continue;
            var (expected, actual) = (Outcome(other), Outcome(text));
            Assert.True(expected == actual, $"seed {seed}, round {round}: {text}\nis {actual}\nand, spelled otherwise, {expected}");
            read += actual.StartsWith('{') ? 1 : 0;
        }
        Assert.InRange(read, Rounds / 5, Rounds);

        string Outcome(string text)
        {
            try
            {
                var payload = Payload.Decode(Encoding.UTF8.GetBytes(text), isJson: true, "topic-device", kind, Rows.ReceivedAt);
                return string.Join(
                    '\n',
                    Enumerable
                        .Range(0, payload.Count)
                        .Select(i =>
                            $"{payload.Row(i)} {payload.Identity(i)} {payload.ObservedAt(i):O} {payload.Problems.GetValueOrDefault(i)} "
                            + $"{payload.HasUnknownKeys(i)} {payload.IsClockNotSet(i)}"
                        )
                );
            }
            catch (PayloadException)
            {
                return "refused";
            }
        }
    }

    static readonly string[] Texts =
    [
        "\"\"",
        "\"a\"",
        "\"topic-device\"",
        "\"b-1\"",
        "\"é😀\"",
        "\"\\n\"",
        "\"\\u00e9\"",
        "\"\\\"\"",
        "\"a+b\"",
        "\"2026-11-20T10:13:48.123456+00:00\"",
        "\"2026-11-20T10:13:48Z\"",
        "\"/ {}[],:\"",
    ];

    static readonly string[] Numbers =
    [
        "\" 21.5 \"",
        "\"+7\"",
        "1763632828123",
        "0",
        "-0",
        "1",
        "12",
        "-3.25",
        "1e5",
        "1E+05",
        "2.5e-3",
        "18446744073709551615",
        "1795100000",
        "1795100000.5",
    ];

    static readonly string[] Odd =
    [
        "\"\t\"",
        "null",
        "null",
        "null",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "0x1",
        "nul",
        "true",
        "[]",
        "{}",
        "[1,\n2]",
        "",
        "NaN",
        "\"",
        "'a'",
    ];

    static string Objects(Random random, ReadingKind kind)
    {
        string[] keys =
            kind == ReadingKind.Thermal
                ? [.. Rows.OriginalThermalKeys, "device_id", "boot_id", "sequence", "observed_at", "zz", "channel_id"]
                : [.. Rows.InverterKeys, "zz"];
        string[] spaces = ["", "", "", " ", "\n", "\r\n\t"];
        string Space() => spaces[random.Next(spaces.Length)];
        string Value(string key) =>
            random.Next(200) == 0 ? Odd[random.Next(Odd.Length)]
            : random.Next(10) > 0 && key is "sequence" or "device_id" or "observed_at"
                ? key == "sequence" ? "12"
                    : Texts[2]
            : IsText(key) && random.Next(200) > 0 ? Texts[random.Next(Texts.Length)]
            : Numbers[random.Next(Numbers.Length)];
        string Object()
        {
            var some = keys.Where(_ => random.Next(3) > 0)
                .Where(key => key is not ("observed_at" or "zz" or "channel_id") || random.Next(20) == 0);
            if (random.Next(3) == 0)
                some = some.OrderBy(_ => random.Next());
            if (random.Next(10) == 0)
                some = some.Concat([keys[random.Next(keys.Length)]]);
            return $"{{{string.Join(',', some.Select(key => $"{Space()}\"{key}\"{Space()}:{Space()}{Value(key)}{Space()}"))}}}{Space()}";
        }

        var objects = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Object()).ToList();
        return random.Next(3) == 0 ? $"[{string.Join(',', objects)}]{Space()}" : string.Concat(objects);

        static bool IsText(string key) =>
            key
                is "uuid"
                    or "rowid"
                    or "ipaddress"
                    or "macaddress"
                    or "host"
                    or "hostname"
                    or "local_hostname"
                    or "systemtime"
                    or "starttime"
                    or "datetimestamp"
                    or "diskusage"
                    or "device_id"
                    or "boot_id"
                    or "id"
                    or "fault_status";
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
        string[] texts =
            kind == ReadingKind.Thermal
                ?
                [
                    Rows.Decode(Rows.Batch(Rows.Full(1))).Row(),
                    """[{"temperature":1,"x":{"y":[1,2,"\u00fc"]}},{"ts":5,"observed_at":"2026-01-01"}]""",
                    "{\"host\":\"a\\ud83d\\ude00\",\n\"n\":\"\\\"\"}",
                ]
                :
                [
                    """{"id":"Inverter_1","PAC":1,"observed_at":12.5}""",
                    """{"id":"\ud83d\ude00","temperature":1e3,"zz":null,"fault_status":"Overheat"}""",
                ];
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
