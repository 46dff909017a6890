namespace ThermalStreaming.Readings.Tests;

public sealed class TopicsTests
{
    [Theory]
    [InlineData("pi", ReadingKind.Thermal, "telemetry/v1/pi/thermal")]
    [InlineData("Küche 2", ReadingKind.Inverter, "telemetry/v1/Küche 2/inverter")]
    public void A_readings_topic_reads_back(string device, ReadingKind kind, string topic)
    {
        Assert.Equal(topic, Topics.Readings(device, kind));
        Assert.True(Topics.TryParse(topic, out var readDevice, out var readKind));
        Assert.Equal((device, kind), (readDevice, readKind));
    }

    [Theory]
    [InlineData("")]
    [InlineData("telemetry/v1/")]
    [InlineData("telemetry/v1/pi")]
    [InlineData("telemetry/v1/pi/")]
    [InlineData("telemetry/v1/pi/status")]
    [InlineData("telemetry/v1/pi/thermal/x")]
    [InlineData("telemetry/v1//thermal")]
    [InlineData("telemetry/v2/pi/thermal")]
    [InlineData("Telemetry/v1/pi/thermal")]
    [InlineData("telemetry/v1/$pi/thermal")]
    public void No_other_topic_is_one_of_readings(string topic)
    {
        Assert.False(Topics.TryParse(topic, out _, out _));
    }

    [Fact]
    public void A_topic_whose_device_id_is_too_long_for_a_journal_is_none()
    {
        Assert.True(Topics.TryParse($"telemetry/v1/{new string('x', 100)}/thermal", out _, out _));
        Assert.False(Topics.TryParse($"telemetry/v1/{new string('x', 101)}/thermal", out _, out _));
        Assert.False(Topics.TryParse($"telemetry/v1/{new string('€', 86)}/thermal", out _, out _));
    }

    [Fact]
    public void Names_the_others_topics()
    {
        Assert.Equal("telemetry/v1/pi/status", Topics.Status("pi"));
        Assert.Equal("telemetry/v1/+/inverter", Topics.Filter(ReadingKind.Inverter));
    }

    [Theory]
    [InlineData("p", true)]
    [InlineData("pi-1.example", true)]
    [InlineData("Küche", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    [InlineData("a+", false)]
    [InlineData("#", false)]
    [InlineData("$SYS", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\0", false)]
    public void Knows_what_can_be_a_device_id(string? text, bool expected)
    {
        Assert.Equal(expected, Topics.IsDeviceId(text));
    }

    [Fact]
    public void Half_of_a_surrogate_pair_is_no_device_id()
    {
        // Not as InlineData: an attribute is stored as UTF-8 and cannot hold it either.
        Assert.False(Topics.IsDeviceId("a\ud800b"));
        Assert.True(Topics.IsDeviceId("a\ud83d\ude00b"));
    }

    [Theory]
    [InlineData('x', 100, true)]
    [InlineData('x', 101, false)]
    [InlineData('ü', 100, true)]
    [InlineData('€', 85, true)]
    [InlineData('€', 86, false)]
    public void A_device_id_has_at_most_100_characters_and_255_bytes(char c, int count, bool expected)
    {
        Assert.Equal(expected, Topics.IsDeviceId(new string(c, count)));
    }
}
