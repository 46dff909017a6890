using System.Net;

namespace ThermalStreaming.Hosting.Tests;

/// <summary>A proxy that nobody answers at, for requests to one port. Other tests of this process go on as before.</summary>
sealed class DeadProxy(int port) : IWebProxy
{
    public ICredentials? Credentials { get; set; }

    public Uri GetProxy(Uri destination) => new("http://127.0.0.1:1/");

    public bool IsBypassed(Uri host) => host.Port != port;
}
