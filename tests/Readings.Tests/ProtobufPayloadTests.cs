using Google.Protobuf;

namespace ThermalStreaming.Readings.Tests;

public sealed class ProtobufPayloadTests
{
    [Fact]
    public void Names_each_reading()
    {
        var batch = Rows.Batch(Rows.Full(5), Rows.Full(6));

        var payload = Rows.Decode(batch);

        Assert.Equal(2, payload.Count);
        Assert.Equal(new ReadingIdentity("pi-1", batch.BootId, ReadingKind.Thermal, 6), payload.Identity(1));
        Assert.True(payload.Identity(1).IsComplete);
        Assert.Equal(Instants.FromMicroseconds(Rows.ObservedAtUs), payload.ObservedAt(0));
    }

    [Fact]
    public void Takes_the_topics_device_when_the_batch_names_none()
    {
        var batch = Rows.Batch(Rows.Full());
        batch.DeviceId = "";

        Assert.Equal("topic-device", Rows.Decode(batch).Identity(0).DeviceId);
    }

    [Fact]
    public void Selects_some_readings_with_everything_else_unchanged()
    {
        var batch = Rows.Batch(Rows.Full(1), Rows.Full(2), Rows.Full(3));
        var payload = Rows.Decode(batch);

        var selected = Payload.Decode(payload.Select([0, 2]), isJson: false, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);

        Assert.Equal([payload.Row(0), payload.Row(2)], [selected.Row(0), selected.Row(1)]);
        Assert.Equal(batch.ToByteArray(), payload.Select([0, 1, 2]));
    }

    [Fact]
    public void Does_not_give_inverters_of_thermal_readings()
    {
        Assert.Throws<InvalidOperationException>(() => Rows.Decode(Rows.Batch(Rows.Full())).Inverter(0));
    }

    public static TheoryData<string, ReadingBatch> Wrong()
    {
        ReadingBatch With(Action<ReadingBatch> change)
        {
            var batch = Rows.Batch(Rows.Full());
            change(batch);
            return batch;
        }

        return new()
        {
            { "boot_id", With(b => b.BootId = new string('x', 65)) },
            { "no thermal", With(b => b.Thermal.Clear()) },
            { "one kind", With(b => b.Inverters.Add(Rows.Inverter())) },
            { "observed_at_us", With(b => b.Thermal[0].ObservedAtUs = -1) },
            { "observed_at_us", With(b => b.Thermal[0].ObservedAtUs = long.MaxValue) },
            { "started_at_us", With(b => b.Host.StartedAtUs = long.MaxValue) },
            { "started_at_us", With(b => b.Host.StartedAtUs = long.MinValue) },
            { "host", With(b => b.Host.Hostname = new string('x', 101)) },
        };
    }

    [Theory, MemberData(nameof(Wrong))]
    public void Says_what_is_wrong(string mentioned, ReadingBatch batch)
    {
        var e = Assert.ThrowsAny<PayloadException>(() => Rows.Decode(batch));

        Assert.Contains(mentioned, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_that_an_empty_payload_is_empty()
    {
        Assert.Throws<PayloadException>(() => Payload.Decode(default, isJson: false, "d", ReadingKind.Thermal, Rows.ReceivedAt));
        Assert.Throws<PayloadException>(() => Payload.Decode(default, isJson: true, "d", ReadingKind.Thermal, Rows.ReceivedAt));
    }

    [Fact]
    public void Takes_as_many_readings_as_a_message_may_hold_and_not_one_more()
    {
        // An empty reading is two bytes.
        var most = Payload.Decode(Empty(Payload.MaxReadings), isJson: false, "d", ReadingKind.Thermal, Rows.ReceivedAt);
        var tooMany = Empty(4_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<PayloadException>(() => Payload.Decode(tooMany, isJson: false, "d", ReadingKind.Thermal, Rows.ReceivedAt));

        Assert.Equal(Payload.MaxReadings, most.Count);
        Assert.Contains("50000 readings", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        static byte[] Empty(int count)
        {
            var bytes = new byte[2 * count];
            for (var i = 0; i < bytes.Length; i += 2)
                bytes[i] = ReadingBatch.ThermalFieldNumber << 3 | 2;
            return bytes;
        }
    }

    [Fact]
    public void Every_truncation_is_a_PayloadException_or_a_shorter_batch()
    {
        var bytes = Rows.Batch(Rows.Full(1), Rows.Full(2)).ToByteArray();
        var refused = 0;
        for (var length = 0; length < bytes.Length; length++)
        {
            try
            {
                var payload = Payload.Decode(bytes.AsMemory(0, length), isJson: false, "d", ReadingKind.Thermal, Rows.ReceivedAt);
                Assert.InRange(payload.Count, 1, 2);
                payload.Row();
            }
            catch (PayloadException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, bytes.Length / 2, bytes.Length);
    }

    [Fact]
    public void Takes_fields_in_any_order_and_of_one_that_comes_twice_the_last()
    {
        var batch = Rows.Batch(Rows.Full(1), Rows.Full(2));
        var readings = new ReadingBatch { Thermal = { batch.Thermal } }.ToByteArray();
        batch.Thermal.Clear();
        byte[] backwards = [.. readings, .. new ReadingBatch { DeviceId = "another" }.ToByteArray(), .. batch.ToByteArray()];

        var payload = Payload.Decode(backwards, isJson: false, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);

        var ordered = Rows.Batch(Rows.Full(1), Rows.Full(2));
        ordered.BootId = batch.BootId;
        Assert.Equal([Rows.Decode(ordered).Row(0), Rows.Decode(ordered).Row(1)], [payload.Row(0), payload.Row(1)]);
    }

    [Fact]
    public void What_it_takes_means_the_same_to_the_generated_parser()
    {
        const int seed = 7;
        var random = new Random(seed);
        var whole = Rows.Batch(Rows.Full(1), Rows.Full(2)).ToByteArray();
        var taken = 0;
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = whole.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Payload payload;
            try
            {
                payload = Payload.Decode(bytes, isJson: false, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);
            }
            catch (PayloadException)
            {
                continue;
            }
            taken++;
            var batch = ReadingBatch.Parser.ParseFrom(bytes);
            var again = Payload.Decode(batch.ToByteArray(), isJson: false, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);
            Assert.Equal(
                batch.Thermal.Select(reading => batch.BootId.Length > 0 && reading.HasSequence ? reading.Sequence : 0),
                Enumerable.Range(0, payload.Count).Select(i => payload.Identity(i).Sequence)
            );
            for (var i = 0; i < payload.Count; i++)
            {
                Assert.Equal(again.Row(i), payload.Row(i));
                Assert.Equal(
                    batch.Thermal[i].ObservedAtUs == 0 ? Rows.ReceivedAt : Instants.FromMicroseconds(batch.Thermal[i].ObservedAtUs),
                    payload.ObservedAt(i)
                );
            }
        }

        Assert.InRange(taken, 1000, 49_000);
    }

    [Theory]
    [InlineData("{}", null, true)]
    [InlineData("[]", null, true)]
    [InlineData("\n\u0004pi-1", null, false)]
    [InlineData("{}", "application/x-protobuf", true)]
    [InlineData(" \r\n\t[{}]", null, true)]
    [InlineData("\n{\"temperature\":1}", null, true)]
    [InlineData("\n{\"temperature\":1}", "application/x-protobuf", true)]
    [InlineData("\uFEFF{}", "application/octet-stream", true)]
    [InlineData("\uFEFF \n{}", null, true)]
    [InlineData("x", "application/json", true)]
    [InlineData("x", "application/json; charset=utf-8", true)]
    [InlineData("{}", "text/plain", true)]
    [InlineData("x", "text/plain", false)]
    [InlineData("", null, false)]
    public void Tells_JSON_by_content_type_or_first_byte(string payload, string? contentType, bool expected)
    {
        Assert.Equal(expected, PayloadFormat.IsJson(System.Text.Encoding.UTF8.GetBytes(payload), contentType, out _));
    }

    [Theory]
    [InlineData('{', 0x7B)]
    [InlineData('[', 0x5B)]
    public void A_batch_is_not_taken_for_JSON_when_the_length_of_its_device_id_is_the_code_of_a_brace(char first, int length)
    {
        var batch = Rows.Batch(Rows.Full());
        // 0x7B bytes: more than 100 characters do not fit, so some take two.
        batch.DeviceId = (first + new string('é', 30) + new string('x', 200))[..(length - 30)];
        var bytes = batch.ToByteArray();
        Assert.Equal([0x0A, (byte)length], bytes[..2]);

        Assert.False(PayloadFormat.IsJson(bytes, null, out _));
        Assert.False(PayloadFormat.IsJson(bytes, Payload.ProtobufContentType, out _));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("pi-2")]
    [InlineData("PI-1")]
    public void A_batch_of_another_device_than_the_topics_is_refused(string named)
    {
        var batch = Rows.Batch(Rows.Full(1), Rows.Full(2));
        batch.DeviceId = named;

        var payload = Payload.Decode(batch.ToByteArray(), isJson: false, "pi-1", ReadingKind.Thermal, Rows.ReceivedAt);

        Assert.Equal([0, 1], payload.Problems.Keys);
        Assert.All(
            payload.Problems.Values,
            problem => Assert.Contains($"device_id is \"{named}\", but the topic is of device \"pi-1\"", problem, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void A_reading_without_identity_gets_the_assigned_one_and_0_is_a_number()
    {
        var batch = Rows.Batch(Rows.Full(), new ThermalReading { ObservedAtUs = 1 }, new ThermalReading { Sequence = 0, ObservedAtUs = 1 });
        var own = Rows.Decode(batch);
        batch.BootId = "";
        var none = Payload.Decode(
            batch.ToByteArray(),
            isJson: false,
            "pi-1",
            ReadingKind.Thermal,
            Rows.ReceivedAt,
            new AssignedIdentity("journal-0a", 40)
        );

        Assert.Equal(
            [(true, 1UL), (false, 0UL), (true, 0UL)],
            Enumerable.Range(0, 3).Select(i => (own.HasOwnIdentity(i), own.Identity(i).Sequence))
        );
        Assert.Equal(
            [("journal-0a", 40UL), ("journal-0a", 41UL), ("journal-0a", 42UL)],
            Enumerable.Range(0, 3).Select(i => (none.Identity(i).BootId, none.Identity(i).Sequence))
        );
        Assert.Contains("\"boot_id\":\"journal-0a\",\"sequence\":41,", none.Row(1), StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_that_is_not_there_is_the_time_of_arrival()
    {
        Assert.Equal(Rows.ReceivedAt, Rows.Decode(Rows.Batch(new ThermalReading { Sequence = 1 })).ObservedAt(0));
        Assert.Contains(
            "\"datetimestamp\":\"2026-11-20T11:00:00.000000+00:00\"",
            Rows.Decode(Rows.Batch(new ThermalReading { Sequence = 1 })).Row(),
            StringComparison.Ordinal
        );
    }
}
