namespace ThermalStreaming.Readings.Tests;

public sealed class StoredPayloadTests
{
    static readonly DateTimeOffset At = new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero).AddMicroseconds(123_456);

    /// <summary>
    /// As every release has written them: 2026-11-20T10:00:00.123456Z, a device "Küche", and the payload. Journals in the field hold these
    /// bytes.
    /// </summary>
    const string ThermalHeader = "01" + "01" + "40AAA44EB2600600" + "06" + "4BC3BC636865";
    const string InverterJsonHeader = "02" + "02" + "40AAA44EB2600600" + "06" + "4BC3BC636865";

    /// <summary>device_id "pi", boot_id "b", one thermal reading: sequence 4.</summary>
    const string BatchOfOne = "0A027069" + "120162" + "2A020804";

    [Theory]
    [InlineData(ThermalHeader, false, ReadingKind.Thermal)]
    [InlineData(InverterJsonHeader, true, ReadingKind.Inverter)]
    public void Its_bytes_on_disk_do_not_change(string hex, bool isJson, ReadingKind kind)
    {
        var header = StoredPayload.Header(isJson, kind, "Küche", At);
        Assert.Equal(hex, Convert.ToHexString(header));

        Assert.True(StoredPayload.TryParse((byte[])[.. Convert.FromHexString(hex), 1, 2, 3], out var stored));

        Assert.Equal((isJson, kind, "Küche", At), (stored.IsJson, stored.Kind, stored.DeviceId, stored.StoredAt));
        Assert.Equal([1, 2, 3], stored.Bytes.ToArray());
    }

    [Fact]
    public void A_header_is_used_again_with_another_time()
    {
        var header = StoredPayload.Header(false, ReadingKind.Thermal, "Küche", DateTimeOffset.UnixEpoch);

        StoredPayload.Stamp(header, At);

        Assert.Equal(ThermalHeader, Convert.ToHexString(header));
    }

    [Fact]
    public void Shows_its_readings_as_rows()
    {
        var rows = StoredPayload.Format(Convert.FromHexString(ThermalHeader + BatchOfOne)).ToList();
        var json = StoredPayload
            .Format(
                (byte[])
                    [.. Convert.FromHexString(InverterJsonHeader), .. """[{"sequence":1,"boot_id":"b"},{"sequence":2,"boot_id":"b"}]"""u8]
            )
            .ToList();

        Assert.Contains(
            "\"device_id\":\"Küche\",\"boot_id\":\"b\",\"sequence\":4,\"forwarded_at\":\"2026-11-20T10:00:00.123456",
            Assert.Single(rows),
            StringComparison.Ordinal
        );
        Assert.Equal(2, json.Count);
        Assert.All(json, row => Assert.Contains("\"device_id\":\"Küche\"", row, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_truncated_header_and_every_other_format_is_refused()
    {
        var record = Convert.FromHexString(ThermalHeader);
        Assert.True(StoredPayload.TryParse(record, out _));

        for (var length = 0; length < record.Length; length++)
            Assert.False(StoredPayload.TryParse(record.AsMemory(0, length), out _));
        for (var other = 0; other < 256; other++)
        {
            // 3 and 4 have more in the header.
            Assert.Equal(other is 1 or 2, StoredPayload.TryParse((byte[])[(byte)other, .. record[1..]], out _));
            Assert.Equal(other is 1 or 2, StoredPayload.TryParse((byte[])[record[0], (byte)other, .. record[2..]], out _));
        }
        Assert.Throws<PayloadException>(() => StoredPayload.Decode(record.AsMemory(1)));
    }

    /// <summary>As above, with boot id "journal-0a" and sequence number 258.</summary>
    const string AssignedHeader =
        "03" + "01" + "40AAA44EB2600600" + "06" + "4BC3BC636865" + "0A" + "6A6F75726E616C2D3061" + "0201000000000000";

    [Theory]
    [InlineData(AssignedHeader, false)]
    [InlineData("04" + "01" + "40AAA44EB2600600" + "06" + "4BC3BC636865" + "0A" + "6A6F75726E616C2D3061" + "0201000000000000", true)]
    public void Keeps_an_assigned_identity(string hex, bool isJson)
    {
        var assigned = new AssignedIdentity("journal-0a", 258);
        var header = StoredPayload.Header(isJson, ReadingKind.Thermal, "Küche", At, assigned);
        Assert.Equal(hex, Convert.ToHexString(header));

        Assert.True(StoredPayload.TryParse((byte[])[.. header, 1, 2, 3], out var stored));

        Assert.Equal((isJson, "Küche", At, assigned), (stored.IsJson, stored.DeviceId, stored.StoredAt, stored.Assigned));
        Assert.Equal([1, 2, 3], stored.Bytes.ToArray());
        for (var length = 0; length < header.Length; length++)
            Assert.False(StoredPayload.TryParse(header.AsMemory(0, length), out _));
    }

    [Fact]
    public void A_reading_without_identity_is_named_by_its_place_unless_it_was_named_before()
    {
        byte[] payload = [.. """{"temperature":1}{"boot_id":"b","sequence":0}{"sequence":3}"""u8];
        var first = StoredPayload.Decode(
            (byte[])[.. StoredPayload.Header(true, ReadingKind.Thermal, "d", At), .. payload],
            AssignedIdentity.BootIdOf("ab"),
            1000
        );
        var again = StoredPayload.Decode(
            (byte[])[.. StoredPayload.Header(true, ReadingKind.Thermal, "d", At, new("journal-cd", 7)), .. payload],
            AssignedIdentity.BootIdOf("ab"),
            2000
        );

        Assert.Equal(
            ["journal-ab 1000", "b 0", "journal-ab 1002"],
            Enumerable.Range(0, 3).Select(i => $"{first.Identity(i).BootId} {first.Identity(i).Sequence}")
        );
        Assert.Equal(
            ["journal-cd 7", "b 0", "journal-cd 9"],
            Enumerable.Range(0, 3).Select(i => $"{again.Identity(i).BootId} {again.Identity(i).Sequence}")
        );
        Assert.All(Enumerable.Range(0, 3), i => Assert.True(first.Identity(i).IsComplete));
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(first.HasOwnIdentity));
        // What was sent of half an identity is not lost.
        Assert.Contains(
            "\"boot_id\":\"journal-ab\",\"sequence\":1002,\"as_sent\":{\"sequence\":3}",
            first.Row(2),
            StringComparison.Ordinal
        );
    }
}
