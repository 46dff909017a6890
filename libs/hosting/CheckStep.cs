namespace ThermalStreaming.Hosting;

/// <summary>One step of <c>check</c>. It runs only if every step named in <paramref name="Needs"/> succeeded.</summary>
public sealed record CheckStep(string Name, Func<CancellationToken, Task<CheckResult>> Run, params string[] Needs);
