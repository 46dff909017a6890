namespace ThermalStreaming.Hosting;

/// <summary>What a process of this project ends with.</summary>
public static class ExitCodes
{
    /// <summary>Stopped on request, or a verb that found nothing wrong.</summary>
    public const int Ok = 0;

    /// <summary>Crashed, or a verb (<c>check</c>, <c>healthcheck</c>, <c>journal verify</c>) that found something wrong.</summary>
    public const int Failed = 1;

    /// <summary>Bad configuration (EX_CONFIG of sysexits.h); one line per problem is on stderr.</summary>
    public const int BadConfiguration = 78;
}
