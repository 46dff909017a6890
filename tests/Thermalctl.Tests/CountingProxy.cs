using System.Net;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>A proxy that nobody answers at; counts the requests that would go by way of it.</summary>
sealed class CountingProxy : IWebProxy
{
    int requests;

    public int Requests => requests;

    public ICredentials? Credentials { get; set; }

    public Uri GetProxy(Uri destination)
    {
        Interlocked.Increment(ref requests);
        return new Uri("http://127.0.0.1:1/");
    }

    public bool IsBypassed(Uri host) => false;
}
