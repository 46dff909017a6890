namespace ThermalStreaming.Sensors.Tests;

public sealed class BusWorkerTests : IDisposable
{
    readonly SensorStand stand = new();

    public void Dispose() => stand.Dispose();

    Task<TransferResult> WriteAsync(int address = 0x62) => stand.Worker.TransferAsync(address, [0], 0, default);

    [Fact]
    public async Task A_stuck_bus_is_reported_once_and_left_alone_for_longer_and_longer()
    {
        stand.Bus.IsStuck = true;
        List<int> tried = [];
        for (var second = 0; second < 100; second++)
        {
            var before = stand.Bus.Transfers;
            foreach (var address in new[] { 0x58, 0x62, 0x63 })
                Assert.Equal(SensorErrorKind.Bus, (await WriteAsync(address)).Error);
            // One transfer, and one second of blocked thread, for all sensors together.
            Assert.InRange(stand.Bus.Transfers - before, 0, 1);
            if (stand.Bus.Transfers > before)
                tried.Add(second);
            stand.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 61, 91], tried);
        Assert.Contains("is stuck", Assert.Single(stand.Lines), StringComparison.Ordinal);
        Assert.Equal(tried.Count, stand.Bus.Opened);
    }

    [Fact]
    public async Task A_bus_that_works_again_says_so_and_serves_at_once()
    {
        stand.Bus.Attach(0x63, new SimulatedIcp10125(stand.Clock));
        stand.Bus.IsStuck = true;
        await WriteAsync(0x63);
        Assert.NotNull(stand.Worker.Problem);
        stand.Bus.IsStuck = false;
        stand.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.True((await stand.Worker.TransferAsync(0x63, [0xEF, 0xC8], 0, default)).IsOk);

        Assert.Null(stand.Worker.Problem);
        Assert.Equal("Information: /dev/i2c-1 works again", stand.Lines[^1]);
    }

    [Fact]
    public async Task A_device_that_does_not_acknowledge_is_no_problem_of_the_bus()
    {
        var result = await WriteAsync(0x77);

        Assert.Equal(SensorErrorKind.NotAcknowledged, result.Error);
        Assert.Null(stand.Worker.Problem);
        Assert.Empty(stand.Lines);
    }

    [Theory]
    [InlineData(2, "enable I²C")]
    [InlineData(13, "group_add")]
    public async Task A_bus_that_cannot_be_opened_says_what_to_do(int errno, string advice)
    {
        stand.Bus.OpenError = errno;

        var result = await WriteAsync();

        Assert.Equal(SensorErrorKind.Bus, result.Error);
        Assert.Contains(advice, result.Text, StringComparison.Ordinal);
        Assert.Contains(advice, Assert.Single(stand.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_waits_for_a_transfer_that_hangs_longer_than_he_wants()
    {
        using var hang = new ManualResetEventSlim();
        stand.Bus.Hang = hang;
        using var stop = new CancellationTokenSource();
        var transfer = stand.Worker.TransferAsync(0x62, [0], 0, stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => transfer);
        stand.Worker.Dispose();
        Assert.Equal(SensorErrorKind.Bus, (await WriteAsync()).Error);
        hang.Set();
    }

    [Fact]
    public async Task A_device_that_hangs_is_left_alone_for_longer_and_longer_and_the_others_are_served()
    {
        var hanging = new SimulatedScd4x(stand.Clock) { Error = 110 };
        stand.Bus.Attach(0x62, hanging);
        stand.Bus.Attach(0x63, new SimulatedIcp10125(stand.Clock));
        List<int> tried = [];
        for (var second = 0; second < 100; second++)
        {
            Assert.True((await stand.Worker.TransferAsync(0x63, [0xEF, 0xC8], 0, default)).IsOk);
            var before = stand.Bus.Transfers;
            var result = await WriteAsync(0x62);
            Assert.Equal(SensorErrorKind.Transfer, result.Error);
            Assert.Contains("the device hangs (errno 110)", result.Text, StringComparison.Ordinal);
            if (stand.Bus.Transfers > before)
                tried.Add(second);
            stand.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 61, 91], tried);
        Assert.Equal((null, 1), (stand.Worker.Problem, stand.Bus.Opened));
        Assert.Empty(stand.Lines);
        hanging.Error = 0;
        stand.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True((await stand.Worker.TransferAsync(0x62, [0xE4, 0xB8], 0, default)).IsOk);
    }

    [Fact]
    public async Task The_bus_is_stuck_when_a_second_device_hangs_or_the_same_one_again_while_no_other_answers()
    {
        stand.Bus.IsStuck = true;
        await Task.WhenAll(WriteAsync(0x58), WriteAsync(0x62));
        Assert.Contains("is stuck", stand.Worker.Problem, StringComparison.Ordinal);

        stand.Bus.IsStuck = false;
        stand.Clock.Advance(TimeSpan.FromSeconds(1));
        // Absent, which an intact bus says at once.
        Assert.Equal(SensorErrorKind.NotAcknowledged, (await WriteAsync(0x58)).Error);
        stand.Bus.IsStuck = true;
        Assert.Equal(SensorErrorKind.Transfer, (await WriteAsync(0x58)).Error);
        Assert.Null(stand.Worker.Problem);
        stand.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SensorErrorKind.Bus, (await WriteAsync(0x58)).Error);
        Assert.Equal(3, stand.Lines.Count);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(32)]
    [InlineData(108)]
    public async Task An_adapter_that_only_fails_is_opened_again(int errno)
    {
        stand.Bus.Error = errno;
        for (var i = 0; i < 4; i++)
            Assert.Equal(SensorErrorKind.Transfer, (await WriteAsync()).Error);
        // One that does not acknowledge shows that the adapter works.
        stand.Bus.Error = 0;
        await WriteAsync(0x77);
        stand.Bus.Error = errno;
        for (var i = 0; i < 4; i++)
            Assert.Equal(SensorErrorKind.Transfer, (await WriteAsync()).Error);
        Assert.Empty(stand.Lines);

        Assert.Equal(SensorErrorKind.Bus, (await WriteAsync()).Error);

        Assert.Contains($"/dev/i2c-1 fails (errno {errno})", Assert.Single(stand.Lines), StringComparison.Ordinal);
        stand.Bus.Error = 0;
        stand.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SensorErrorKind.NotAcknowledged, (await WriteAsync()).Error);
        Assert.Equal((2, null), (stand.Bus.Opened, stand.Worker.Problem));
    }

    [Fact]
    public async Task A_transfer_that_does_not_return_is_a_problem_of_the_bus_until_it_does()
    {
        using var hang = new ManualResetEventSlim();
        stand.Bus.Hang = hang;
        var transfer = WriteAsync();
        while (stand.Bus.Transfers == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None);
        stand.Clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(stand.Worker.Problem);
        stand.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains("has not finished a transfer for 6 s", stand.Worker.Problem, StringComparison.Ordinal);

        hang.Set();
        await transfer;

        Assert.Null(stand.Worker.Problem);
    }
}
