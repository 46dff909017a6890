namespace ThermalStreaming.Bench;

/// <summary>A method in a natively compiled program.</summary>
/// <param name="Address">Where its code begins, counted from where the program is loaded.</param>
/// <param name="Name">The compiler's name for it, as <c>services/methods.order</c> has it.</param>
readonly record struct CompiledMethod(ulong Address, string Name);
