using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ThermalStreaming.SensorAgent;

/// <summary>The kernel's IPv4 routes, from /proc/net/route and /proc/net/fib_trie.</summary>
static class RouteTable
{
    const int FlagUp = 1;

    /// <summary>Numbers are in network byte order.</summary>
    public readonly record struct Route(string Interface, uint Destination, uint Gateway, int Flags, uint Metric, uint Mask);

    /// <summary>Skips lines that are not routes (the heading).</summary>
    public static List<Route> Parse(IEnumerable<string> lines)
    {
        var routes = new List<Route>();
        foreach (var line in lines)
        {
            var fields = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (
                fields.Length >= 8
                && TryParseAddress(fields[1], out var destination)
                && TryParseAddress(fields[2], out var gateway)
                && int.TryParse(fields[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var flags)
                && uint.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var metric)
                && TryParseAddress(fields[7], out var mask)
            )
                routes.Add(new(fields[0], destination, gateway, flags, metric, mask));
        }
        return routes;
    }

    /// <summary>The default route in use: the one with the lowest metric.</summary>
    public static Route? Default(IEnumerable<Route> routes) =>
        routes
            .Where(route => route is { Destination: 0, Mask: 0 } && (route.Flags & FlagUp) != 0)
            .OrderBy(route => route.Metric)
            .Cast<Route?>()
            .FirstOrDefault();

    /// <summary>
    /// The machine's own addresses, from fib_trie: a line "|-- address" is followed by lines that describe it; "/32 host LOCAL" marks an
    /// own address.
    /// </summary>
    public static List<uint> ParseLocalAddresses(IEnumerable<string> lines)
    {
        var found = new List<uint>();
        uint? current = null;
        foreach (var line in lines)
        {
            var text = line.AsSpan().Trim();
            if (text.StartsWith("|--") || text.StartsWith("+--"))
                current =
                    text[0] == '|'
                    && IPAddress.TryParse(text[3..].Trim(), out var address)
                    && address.AddressFamily == AddressFamily.InterNetwork
                        ? ToNumber(address)
                        : null;
            else if (current is { } own && text.StartsWith("/32 host LOCAL") && own >> 24 != 127 && !found.Contains(own))
                found.Add(own);
        }
        return found;
    }

    /// <summary>
    /// The own address on the interface of <paramref name="route"/>. The trie does not say which interface an address belongs to; the
    /// interface's directly connected networks do. If there are several, the one with the gateway counts; if there is none (a
    /// point-to-point link), the only address there is.
    /// </summary>
    public static IPAddress? AddressOf(Route route, IReadOnlyCollection<Route> routes, IReadOnlyList<uint> local)
    {
        var networks = routes
            .Where(other => other.Interface == route.Interface && other.Gateway == 0 && other.Mask != 0)
            .OrderByDescending(network => (route.Gateway & network.Mask) == network.Destination)
            .ThenBy(network => network.Metric);
        foreach (var network in networks)
        {
            foreach (var address in local)
            {
                if ((address & network.Mask) == network.Destination)
                    return FromNumber(address);
            }
        }
        return local.Count == 1 ? FromNumber(local[0]) : null;
    }

    // The kernel prints the 32 bits as a number of this machine, whose bytes in memory are in network order: 010200C0 is 192.0.2.1 on a
    // little-endian machine.
    static bool TryParseAddress(string hex, out uint address)
    {
        var fits = uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address);
        if (BitConverter.IsLittleEndian)
            address = BinaryPrimitives.ReverseEndianness(address);
        return fits;
    }

    static uint ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    static IPAddress FromNumber(uint address)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
        return new IPAddress(bytes);
    }
}
