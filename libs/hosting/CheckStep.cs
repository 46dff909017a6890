namespace ThermalStreaming.Hosting;

/// <summary>One step of <c>check</c>. It runs only when every step named in <paramref name="Needs"/> was well.</summary>
public sealed record CheckStep(string Name, Func<CancellationToken, Task<CheckResult>> Run, params string[] Needs);
