using Microsoft.AspNetCore.Http;

namespace ThermalStreaming.S3Forwarder.Tests;

/// <summary>What a script makes of a request instead of, before or after serving it.</summary>
sealed record S3Fault
{
    /// <summary>Answer this and do nothing.</summary>
    public (int Status, string Code, string Message)? Answer { get; init; }

    /// <summary>Answer this instead: what a proxy, a portal or a gateway says. Nothing is done.</summary>
    public Func<HttpContext, Task>? Respond { get; init; }

    /// <summary>Do it, then answer this instead of S3's answer.</summary>
    public Func<HttpContext, Task>? RespondAfter { get; init; }

    public (string Name, string Value)? Header { get; init; }

    /// <summary>Cut the connection without doing anything.</summary>
    public bool AbortBefore { get; init; }

    /// <summary>Do it, then cut the connection instead of answering.</summary>
    public bool AbortAfter { get; init; }

    /// <summary>Runs before the request is served.</summary>
    public Func<Task>? Before { get; init; }

    /// <summary>Runs after the request is served and before it is answered.</summary>
    public Func<Task>? After { get; init; }
}
