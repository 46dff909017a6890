namespace ThermalStreaming.SnowpipeForwarder.Tests;

/// <summary>Which host is written to, and how names become part of its paths.</summary>
public sealed class HostAndNameTests
{
    [Theory]
    [InlineData(
        "XY_12345.ingest.iad_aax.snowflakecomputing.com",
        "https://org.snowflakecomputing.com",
        "https://xy-12345.ingest.iad-aax.snowflakecomputing.com/"
    )]
    [InlineData(
        "\"Abc.ingest.snowflakecomputing.com\"",
        "https://org.snowflakecomputing.com",
        "https://abc.ingest.snowflakecomputing.com/"
    )]
    [InlineData(
        """{"hostname": "abc.ingest.snowflakecomputing.com"}""",
        "https://org.snowflakecomputing.com",
        "https://abc.ingest.snowflakecomputing.com/"
    )]
    [InlineData("  abc.ingest\n", "http://localhost:8090", "http://abc.ingest:8090/")]
    [InlineData("abc.ingest:9000", "http://localhost:8090", "http://abc.ingest:9000/")]
    [InlineData(
        "https://abc.ingest.snowflakecomputing.com/",
        "https://org.snowflakecomputing.com",
        "https://abc.ingest.snowflakecomputing.com/"
    )]
    [InlineData("abc.ingest.snowflakecomputing.cn", "https://org.snowflakecomputing.cn", "https://abc.ingest.snowflakecomputing.cn/")]
    [InlineData(
        "abc.privatelink.snowflakecomputing.com",
        "https://org.privatelink.snowflakecomputing.com",
        "https://abc.privatelink.snowflakecomputing.com/"
    )]
    public void The_ingest_host_is_read_in_every_shape(string body, string control, string expected)
    {
        var host = IngestHost.Parse(body, new Uri(control));

        Assert.Equal(expected, host?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"hostname\":")]
    [InlineData("<html>")]
    [InlineData("two words")]
    [InlineData("host/path")]
    [InlineData("OK")]
    [InlineData("success")]
    [InlineData("null")]
    [InlineData("portal.hotel.example")]
    [InlineData("snowflakecomputing.com.hotel.example")]
    [InlineData("[]")]
    [InlineData("{\"hostname\":7}")]
    public void What_is_no_host_name_is_refused(string body) =>
        Assert.Null(IngestHost.Parse(body, new Uri("https://org.snowflakecomputing.com")));

    [Theory]
    [InlineData("OK", null)]
    [InlineData("null", null)]
    [InlineData("snow_flake", "http://snow-flake:8090/")]
    [InlineData("localhost", "http://localhost:8090/")]
    [InlineData("[::1]", "http://[::1]:8090/")]
    [InlineData("snowflake.local", "http://snowflake.local:8090/")]
    public void A_stand_in_without_a_domain_names_itself(string body, string? expected) =>
        Assert.Equal(expected, IngestHost.Parse(body, new Uri("http://snow_flake:8090"))?.ToString());

    [Fact]
    public async Task Quoted_names_go_into_the_path_with_their_quotes_and_case()
    {
        await using var fixture = await SinkFixture.StartAsync(
            ("SNOWFLAKE_DATABASE", "\"My Db\""),
            ("SNOWFLAKE_PIPE", "\"p!$&'()*+,=:@~._-/;ü\"")
        );

        await fixture.OpenAsync();
        await fixture.SendAsync(fixture.Batch(0, 1));

        Assert.StartsWith(
            "/v2/streaming/databases/%22My%20Db%22/schemas/PUBLIC/pipes/%22p!$&'()*+,=:@~._-%2F%3B%C3%BC%22/channels/",
            fixture.Server.Of("open").Single().RawTarget
        );
        Assert.StartsWith(
            "/v2/streaming/data/databases/%22My%20Db%22/schemas/PUBLIC/pipes/%22p!$&'()*+,=:@~._-%2F%3B%C3%BC%22/channels/",
            fixture.Server.Of("append").Single().RawTarget
        );
    }

    [Theory]
    [InlineData("thermal_pipe", "THERMAL_PIPE")]
    [InlineData("Table-Streaming", "TABLE-STREAMING")]
    [InlineData("\"Mixed Case\"", "\"Mixed Case\"")]
    [InlineData("\"a\"\"b\"", "\"a\"\"b\"")]
    [InlineData("\"a\"b\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("db.schema.pipe", null)]
    [InlineData("1abc", null)]
    [InlineData("a b", null)]
    [InlineData("", null)]
    public void Names_are_upper_case_unless_quoted(string name, string? expected) => Assert.Equal(expected, Identifier.Normalise(name));
}
