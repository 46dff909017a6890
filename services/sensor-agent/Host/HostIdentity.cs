using System.Net;
using ThermalStreaming.Readings;
using Host = ThermalStreaming.Readings.Host;

namespace ThermalStreaming.SensorAgent;

/// <summary>
/// This machine on its network: the interface with the default route, its address and its MAC. Reads files, because a container's own
/// interfaces are not the machine's: there HOST_NET holds files of the machine's /proc/1/net, and HOST_SYS its class/net and devices,
/// mounted read-only. Does not throw: anything that cannot be read is "".
/// </summary>
sealed class HostIdentity(string netDirectory, string sysDirectory)
{
    /// <summary>An interface and its address, text; both "" when there is no default route.</summary>
    public readonly record struct NetworkAddress(string Interface, string Address);

    /// <summary>Host name from the kernel (with <c>uts: host</c> the machine's), and the current network address.</summary>
    public Host Read(string hostName, DateTimeOffset startedAt)
    {
        var network = FindAddress();
        return new Host
        {
            Hostname = hostName,
            LocalHostname = hostName.Length > 0 ? hostName + ".local" : "",
            IpAddress = network.Address,
            MacAddress = ReadMac(network.Interface),
            StartedAtUs = Instants.ToMicroseconds(startedAt),
        };
    }

    /// <summary>The address by which this machine reaches the rest of the world: IPv4 if that has a default route, else IPv6.</summary>
    public NetworkAddress FindAddress()
    {
        var routes = RouteTable.Parse(ReadLines("route"));
        if (RouteTable.Default(routes) is { } route)
        {
            var local = RouteTable.ParseLocalAddresses(ReadLines("fib_trie"));
            return new(route.Interface, RouteTable.AddressOf(route, routes, local)?.ToString() ?? FindIpv6(route.Interface));
        }
        var device = ReadLines("ipv6_route")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields =>
                fields.Length >= 10 && fields[0].All(c => c == '0') && fields[1] == "00" && fields[4].Any(c => c != '0')
            )
            ?[^1];
        return device is null ? new("", "") : new(device, FindIpv6(device));
    }

    // address, interface index, prefix length, scope (00 = global), flags, name; all but the name in hexadecimal.
    string FindIpv6(string device)
    {
        foreach (var line in ReadLines("if_inet6"))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 6 && fields[5] == device && fields[3] == "00" && fields[0].Length == 32)
                return new IPAddress(Convert.FromHexString(fields[0])).ToString();
        }
        return "";
    }

    string ReadMac(string device)
    {
        if (device.Length == 0 || device.Contains('/'))
            return "";
        try
        {
            var text = File.ReadAllText(Path.Combine(sysDirectory, "class/net", device, "address")).Trim().ToLowerInvariant();
            // A tunnel has an address of zeros, or no address.
            return text.Length == 17 && text.Any(c => c is not ('0' or ':')) ? text : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    string[] ReadLines(string name)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(netDirectory, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The host name as a device id: characters that a topic cannot hold become hyphens.</summary>
    public static string DeviceIdFrom(string hostName)
    {
        var id = new string([
            .. hostName
                .Select(c => c is '+' or '#' or '/' or '$' || char.IsControl(c) || char.IsWhiteSpace(c) ? '-' : c)
                .Take(Topics.MaxDeviceIdLength),
        ]);
        return Topics.IsDeviceId(id) ? id : "sensor-agent";
    }
}
