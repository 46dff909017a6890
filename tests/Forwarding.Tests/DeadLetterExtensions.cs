namespace ThermalStreaming.Forwarding.Tests;

static class DeadLetterExtensions
{
    extension(DeadLetters letters)
    {
        /// <summary>Keeps a message that could not be read, as an earlier version wrote it: without the time of its arrival.</summary>
        public void AddMessage(string reason, string topic, string? contentType, ReadOnlySpan<byte> payload) =>
            letters.Add(new DeadLetter(reason, topic, contentType, 0, payload.ToArray()), DeadLetterOrigin.Unread);
    }
}
