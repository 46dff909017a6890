using ThermalStreaming.Readings;
using ThermalStreaming.Testing;

namespace ThermalStreaming.SensorAgent.Tests;

public sealed class HostIdentityTests : IDisposable
{
    const string Heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    // A Pi on Wi-Fi and cable, with Docker. As the kernel prints it: addresses are little-endian numbers.
    const string Routes =
        Heading
        + "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        + "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        + "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        + "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
        + "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n";

    const string Trie = """
        Main:
          +-- 0.0.0.0/0 3 0 4
             |-- 0.0.0.0
                /0 universe UNICAST
        Local:
          +-- 0.0.0.0/0 3 0 4
             |-- 10.0.0.0
                /24 link UNICAST
             |-- 10.0.0.7
                /32 host LOCAL
             |-- 10.0.0.255
                /32 link BROADCAST
             +-- 127.0.0.0/8 2 0 2
                |-- 127.0.0.1
                   /32 host LOCAL
             |-- 172.17.0.1
                /32 host LOCAL
             |-- 192.168.1.23
                /32 host LOCAL
        """;

    readonly TempDirectory root = new();

    public void Dispose() => root.Dispose();

    HostIdentity Identity(string? route = null, string? trie = null, string? ipv6Route = null, string? ipv6 = null)
    {
        Directory.CreateDirectory(root.File("net"));
        foreach (var (name, text) in new[] { ("route", route), ("fib_trie", trie), ("ipv6_route", ipv6Route), ("if_inet6", ipv6) })
        {
            if (text is not null)
                File.WriteAllText(root.File($"net/{name}"), text);
        }
        foreach (
            var (name, mac) in new[] { ("eth0", "DC:A6:32:01:02:03\n"), ("wlan0", "dc:a6:32:01:02:04\n"), ("wg0", "00:00:00:00:00:00\n") }
        )
        {
            Directory.CreateDirectory(root.File($"sys/class/net/{name}"));
            File.WriteAllText(root.File($"sys/class/net/{name}/address"), mac);
        }
        return new HostIdentity(root.File("net"), root.File("sys"));
    }

    [Fact]
    public void Takes_the_address_and_the_MAC_of_the_interface_with_the_best_default_route()
    {
        var host = Identity(Routes, Trie).Read("pi", DateTimeOffset.UnixEpoch.AddSeconds(1));

        Assert.Equal(
            ("pi", "pi.local", "10.0.0.7", "dc:a6:32:01:02:03", 1_000_000L),
            (host.Hostname, host.LocalHostname, host.IpAddress, host.MacAddress, host.StartedAtUs)
        );
    }

    [Fact]
    public void Takes_the_other_interface_when_the_first_is_unplugged()
    {
        var routes = string.Join('\n', Routes.Split('\n').Where(line => !line.StartsWith("eth0", StringComparison.Ordinal)));

        Assert.Equal(new HostIdentity.NetworkAddress("wlan0", "192.168.1.23"), Identity(routes, Trie).FindAddress());
    }

    [Fact]
    public void Of_two_networks_on_one_interface_takes_the_one_the_gateway_is_in()
    {
        var routes =
            Heading
            + "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            + "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
            + "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";

        Assert.Equal("10.0.0.7", Identity(routes, Trie).FindAddress().Address);
    }

    [Fact]
    public void Finds_the_only_address_of_a_point_to_point_link()
    {
        var routes = Heading + "wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
        var identity = Identity(routes, "Local:\n   |-- 10.9.8.7\n      /32 host LOCAL\n");

        Assert.Equal(new HostIdentity.NetworkAddress("wg0", "10.9.8.7"), identity.FindAddress());
        Assert.Equal("", identity.Read("pi", default).MacAddress);
    }

    [Fact]
    public void Takes_IPv6_where_there_is_no_IPv4()
    {
        var identity = Identity(
            Heading,
            "Local:\n",
            "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 "
                + "00000000 00000001     eth0\n00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                + "fd000000000000000000000000000001 00000400 "
                + "00000002 00000000 00000003     eth0\n"
                + "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff "
                + "00000001 00000000 00200200       lo\n",
            "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\nfd000000000000000000000000000002 04 40 00 82     "
                + "eth0\n00000000000000000000000000000001 01 80 10 80       lo\n"
        );

        Assert.Equal(new HostIdentity.NetworkAddress("eth0", "fd00::2"), identity.FindAddress());
    }

    [Fact]
    public void Without_a_network_there_is_a_name_and_nothing_else()
    {
        var host = new HostIdentity(root.File("not-there"), root.File("not-there")).Read("pi", DateTimeOffset.UnixEpoch);

        Assert.Equal(("pi", "", ""), (host.Hostname, host.IpAddress, host.MacAddress));
    }

    [Fact]
    public void Reads_this_machine()
    {
        var host = new HostIdentity("/proc/net", "/sys").Read(Environment.MachineName, DateTimeOffset.UnixEpoch);

        Assert.Equal(Environment.MachineName, host.Hostname);
        if (host.IpAddress.Length > 0)
            Assert.True(System.Net.IPAddress.TryParse(host.IpAddress, out _));
    }

    [Theory]
    [InlineData("pi", "pi")]
    [InlineData("pi/1#+", "pi-1--")]
    [InlineData("$pi", "-pi")]
    [InlineData("", "sensor-agent")]
    public void Makes_a_device_id_of_any_host_name(string hostName, string expected)
    {
        Assert.Equal(expected, HostIdentity.DeviceIdFrom(hostName));
        Assert.True(Topics.IsDeviceId(HostIdentity.DeviceIdFrom(hostName)));
    }
}
