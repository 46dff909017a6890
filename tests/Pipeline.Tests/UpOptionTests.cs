using System.Diagnostics;

namespace ThermalStreaming.Pipeline.Tests;

/// <summary>Options of <c>./up</c> that cannot be: refused with their reason before anything is installed, built or started.</summary>
public sealed class UpOptionTests
{
    [Theory]
    [InlineData("--build-for needs a processor, amd64 or arm64", "--build-for", "mips")]
    [InlineData("--build-for needs a processor, amd64 or arm64", "--build-for")]
    [InlineData("--build-for needs a processor, amd64 or arm64", "--build-for=")]
    [InlineData("cannot be combined with --no-build", "--build-for", "arm64", "--no-build")]
    [InlineData("unknown option --build", "--build")]
    [InlineData("--mapping needs the name of a mapping", "--enroll", "zigbee", "--mapping")]
    [InlineData("--backup needs the name of a file", "--backup")]
    [InlineData("--restore needs the name of a file", "--restore", "--replace")]
    [InlineData("--replace works only with --restore FILE", "--backup", "new.backup", "--replace")]
    [InlineData("--undelivered works only with --restore FILE", "--undelivered")]
    [InlineData("/etc/x.backup cannot be read, or is not a file", "--restore", "/etc/x.backup")]
    [InlineData("its directory does not exist", "--backup", "/none/x.backup")]
    [InlineData("exists already, and a backup never replaces a file", "--backup", "/etc/hostname")]
    [InlineData("--mapping works only with --enroll NAME", "--mapping", "zigbee2mqtt")]
    public async Task A_wrong_option_is_refused_with_its_reason(string reason, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Path.Combine(PipelineProject.Root, "up"), arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, process.ExitCode);
        Assert.Contains(reason, errors.Split('\n')[0], StringComparison.Ordinal);
        Assert.Empty(await output);
    }
}
