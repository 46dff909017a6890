using ThermalStreaming.Testing;

namespace ThermalStreaming.S3Forwarder.Tests;

public sealed class ObjectBodyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(1_000_003)]
    public void Gives_back_what_was_written_as_often_as_asked(int length)
    {
        var expected = new byte[length];
        Seed.Next().Random.NextBytes(expected);
        using var body = new ObjectBody();
        for (var at = 0; at < length; at += 777)
            body.Write(expected.AsSpan(at, Math.Min(777, length - at)));

        for (var time = 0; time < 2; time++)
        {
            using var copy = new MemoryStream();
            body.Position = 0;
            body.CopyTo(copy);
            Assert.Equal(expected, copy.ToArray());
        }
        Assert.Equal(length, body.Length);
        Assert.Equal(length, body.Position);
        body.Seek(-Math.Min(3, length), SeekOrigin.End);
        Assert.Equal(Math.Min(3, length), body.ReadAtLeast(new byte[10], 10, throwOnEndOfStream: false));
    }

    [Fact]
    public void Whoever_still_reads_after_the_end_gets_an_error_and_not_another_objects_bytes()
    {
        var body = new ObjectBody();
        body.Write("mine"u8);
        body.Dispose();

        Assert.Throws<ObjectDisposedException>(() => body.Read(new byte[4], 0, 4));
    }
}
