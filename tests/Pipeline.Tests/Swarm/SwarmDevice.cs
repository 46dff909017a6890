namespace ThermalStreaming.Pipeline.Tests.Swarm;

/// <summary>A device with an agent, and the number of the cell that it belongs to.</summary>
sealed record SwarmDevice(string Name, int Cell);
