using System.Net;

namespace ThermalStreaming.SnowflakeEmulator.Tests;

/// <summary>The list of endpoints, and what a call must pass before each answers.</summary>
public class EndpointTests
{
    [Fact]
    public async Task Every_endpoint_asks_for_a_token_or_refuses_foreign_web_pages_except_those_named_here()
    {
        await using var emulator = await Emulator.StartAsync();

        var open = emulator
            .Endpoints.Where(e =>
                e.Metadata.GetMetadata<AuthenticationGate.Mark>() is null && e.Metadata.GetMetadata<BrowserGate.Mark>() is null
            )
            .Select(e => e.RoutePattern.RawText);

        // /oauth/token and the stage check credentials of another kind themselves.
        Assert.Equal(["/healthz", "/oauth/token", "/readyz", "/snowflake-stage/{**key}"], open.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Faults_can_hit_the_endpoints_that_they_can_name()
    {
        await using var emulator = await Emulator.StartAsync();

        var marked = emulator.Endpoints.Select(e => e.Metadata.GetMetadata<FaultGate.Mark>()?.Endpoint).OfType<string>().Distinct();

        Assert.Equal(Faults.Endpoints.Except(["any", .. LoadStep.All]).Order(), marked.Order());
    }

    [Fact]
    public async Task Every_append_counts_against_the_rate_of_its_channel()
    {
        await using var emulator = await Emulator.StartAsync();

        var appends = emulator
            .Endpoints.Where(e => e.Metadata.GetMetadata<FaultGate.Mark>()?.Endpoint is "append" or "filebuffer")
            .ToList();

        Assert.Equal(3, appends.Count);
        Assert.All(appends, e => Assert.NotNull(e.Metadata.GetMetadata<RateGate.Mark>()));
    }

    [Theory]
    [InlineData("PUT", Emulator.Data + "/channels/CH/rows", "POST")]
    [InlineData("POST", Emulator.Pipe + "/channels/CH", "DELETE, PUT")]
    [InlineData("GET", Emulator.Pipe + ":pipe-info", "POST")]
    [InlineData("PUT", "/emulator/faults", "DELETE, GET, POST")]
    public async Task A_wrong_method_is_told_the_right_ones(string method, string path, string allowed)
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.SendAsync(new HttpMethod(method), path);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.Status);
        Assert.Equal("ERR_METHOD_NOT_ALLOWED", answer.Code);
        Assert.Equal(allowed, string.Join(", ", answer.Message.Content.Headers.Allow.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task An_unknown_path_is_told_where_the_list_is()
    {
        await using var emulator = await Emulator.StartAsync();

        var answer = await emulator.GetAsync("/emulator/nothing");

        Assert.Equal(HttpStatusCode.NotFound, answer.Status);
        Assert.Contains("GET / lists", (string)answer.Json["message"]!, StringComparison.Ordinal);
    }
}
