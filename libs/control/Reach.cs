using System.Net;
using System.Net.NetworkInformation;

namespace ThermalStreaming.Control;

/// <summary>Decides which addresses are reached without leaving this machine or, in a container, the project's network.</summary>
static class Reach
{
    /// <summary>
    /// Whether nobody outside can read data sent there: an address of this machine, or, for a container, one in a network that the
    /// container has a virtual interface to. A container with the host's network is in no project's network.
    /// </summary>
    public static bool IsWithin(IPAddress address) => IsWithin(address, IsContainer, Interfaces());

    /// <param name="address">The address to send to.</param>
    /// <param name="isContainer">Whether this process runs in a container.</param>
    /// <param name="interfaces">Addresses of this machine, with the lengths of their prefixes.</param>
    internal static bool IsWithin(
        IPAddress address,
        bool isContainer,
        IEnumerable<(IPAddress Address, int Prefix, bool IsVirtual)> interfaces
    )
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return IPAddress.IsLoopback(address)
            || interfaces.Any(own =>
                HasPrefix(address, own.Address, address.GetAddressBytes().Length * 8)
                || (isContainer && own.IsVirtual && HasPrefix(address, own.Address, own.Prefix))
            );
    }

    /// <summary>.NET's images set this variable.</summary>
    static bool IsContainer => Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") is "true" or "1";

    static IEnumerable<(IPAddress Address, int Prefix, bool IsVirtual)> Interfaces()
    {
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            // A hardware interface has a device, and leads out of the machine.
            var isVirtual = !Directory.Exists($"/sys/class/net/{network.Name}/device");
            foreach (var own in network.GetIPProperties().UnicastAddresses)
                yield return (own.Address, own.PrefixLength, isVirtual);
        }
    }

    static bool HasPrefix(IPAddress address, IPAddress other, int bits)
    {
        var (left, right) = (address.GetAddressBytes(), other.GetAddressBytes());
        if (left.Length != right.Length || bits is < 1 || bits > left.Length * 8)
            return false;
        for (var i = 0; i < bits; i++)
        {
            var mask = 0x80 >> (i % 8);
            if ((left[i / 8] & mask) != (right[i / 8] & mask))
                return false;
        }
        return true;
    }
}
