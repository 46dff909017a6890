using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Routing;

namespace ThermalStreaming.Hosting;

/// <summary>How a service is controlled by gRPC.</summary>
public sealed class ControlDefinition
{
    /// <summary>The gRPC service, for reflection.</summary>
    public required ServiceDescriptor Service { get; init; }

    /// <summary>Names of its methods that change nothing. All others need the token.</summary>
    public required IReadOnlyCollection<string> Reads { get; init; }

    /// <summary>Maps the class that answers; it is registered by <see cref="ServiceDefinition{TOptions}.Configure"/>.</summary>
    public required Action<IEndpointRouteBuilder> Map { get; init; }
}
