using System.Net;
using ThermalStreaming.Control;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>Where a token may go without TLS.</summary>
[Trait("Category", "Security")]
public sealed class ReachTests
{
    static readonly (IPAddress, int, bool)[] container =
    [
        (IPAddress.Loopback, 8, true),
        (IPAddress.Parse("172.18.0.5"), 16, true),
        (IPAddress.Parse("fd00:1::5"), 64, true),
    ];

    static readonly (IPAddress, int, bool)[] machine =
    [
        (IPAddress.Loopback, 8, true),
        (IPAddress.Parse("192.168.1.20"), 24, false),
        (IPAddress.Parse("172.18.0.1"), 16, true),
    ];

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.8.8", true)]
    [InlineData("::1", true)]
    [InlineData("172.18.200.9", true)]
    [InlineData("::ffff:172.18.0.9", true)]
    [InlineData("fd00:1::9", true)]
    [InlineData("172.19.0.9", false)]
    [InlineData("192.168.1.20", false)]
    [InlineData("fd00:2::9", false)]
    [InlineData("203.0.113.9", false)]
    public void A_container_reaches_its_own_networks(string address, bool expected) =>
        Assert.Equal(expected, Reach.IsWithin(IPAddress.Parse(address), isContainer: true, container));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("192.168.1.20", true)]
    [InlineData("192.168.1.21", false)]
    [InlineData("172.18.0.9", false)]
    public void Outside_of_a_container_only_the_machine_itself_counts(string address, bool expected) =>
        Assert.Equal(expected, Reach.IsWithin(IPAddress.Parse(address), isContainer: false, machine));

    [Fact]
    public void A_container_with_the_network_of_its_host_is_in_no_network_of_the_project() =>
        Assert.False(Reach.IsWithin(IPAddress.Parse("192.168.1.21"), isContainer: true, machine));

    [Theory]
    [InlineData("http://127.0.0.1:8081", false, false)]
    [InlineData("http://localhost:8081", false, false)]
    [InlineData("http://[::1]:8081", false, false)]
    [InlineData("http://203.0.113.9:8081", false, true)]
    [InlineData("http://pi.example:8081", false, true)]
    [InlineData("http://203.0.113.9:8081", true, false)]
    public void A_client_withholds_the_token_from_what_is_elsewhere_unless_it_is_told_otherwise(string address, bool allows, bool expected)
    {
        using var client = new ControlClient(new Uri(address), new ControlOptions { AllowsPlainToken = allows });

        Assert.Equal(expected, client.WithholdsToken);
    }

    [Fact]
    public void A_client_with_TLS_withholds_nothing()
    {
        using var client = new ControlClient(new Uri("https://203.0.113.9:8081"), new ControlOptions { Tls = new ControlTls() });

        Assert.False(client.WithholdsToken);
    }
}
