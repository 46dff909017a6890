namespace ThermalStreaming.Thermalctl;

/// <summary>What a call to one replica brought.</summary>
/// <param name="Replica">Who was called.</param>
/// <param name="Answer">Null if it failed.</param>
/// <param name="Problem">Null if it worked.</param>
sealed record CallOutcome<T>(ReplicaStatus Replica, T? Answer, CallProblem? Problem)
    where T : class;
