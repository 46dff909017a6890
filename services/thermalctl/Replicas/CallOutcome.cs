namespace ThermalStreaming.Thermalctl;

/// <summary>The outcome of a call to one replica.</summary>
/// <param name="Replica">The replica that was called.</param>
/// <param name="Answer">Null if it failed.</param>
/// <param name="Problem">Null if it worked.</param>
sealed record CallOutcome<T>(ReplicaStatus Replica, T? Answer, CallProblem? Problem)
    where T : class;
