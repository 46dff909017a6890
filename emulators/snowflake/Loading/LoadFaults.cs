namespace ThermalStreaming.SnowflakeEmulator;

/// <summary>Makes steps of the loader fail as requested at <c>/emulator/faults</c>. Safe for concurrent use.</summary>
sealed class LoadFaults(Faults faults, TimeProvider clock)
{
    /// <summary>Does a step, or fails before it or after it.</summary>
    /// <param name="step">One of <see cref="LoadStep"/>.</param>
    /// <param name="key">Key of its object; null if it has none.</param>
    /// <param name="action">The step.</param>
    /// <param name="cancellationToken">Ends a delay.</param>
    /// <exception cref="InjectedFaultException">A fault hit the step.</exception>
    public async Task<T> RunAsync<T>(string step, string? key, Func<Task<T>> action, CancellationToken cancellationToken)
    {
        var plan = faults.Take(step, key is null ? [] : [key]);
        if (plan.Delay > TimeSpan.Zero)
            await Task.Delay(plan.Delay, clock, cancellationToken);
        if (plan.Refuse is { } fault)
            throw new InjectedFaultException(step, $"status {fault.Status}");
        if (plan.AbortBefore)
            throw new InjectedFaultException(step, "aborted");
        var result = await action();
        return plan.LoseReply ? throw new InjectedFaultException(step, "reply lost") : result;
    }
}
