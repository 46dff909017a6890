namespace ThermalStreaming.Runner.Tests;

/// <summary>How Debian packages are installed: the script as it is, Debian's tools played.</summary>
public sealed class PackageInstallTests : IDisposable
{
    readonly ScriptCopy copy = new("offline/docker.sh");

    public PackageInstallTests()
    {
        copy.WriteScript("bin/sudo", "#!/bin/sh\n[ \"$1\" = -v ] || exec \"$@\"\n");
        copy.WriteScript("bin/dpkg-query", "#!/bin/sh\nexit 1\n");
    }

    public void Dispose() => copy.Dispose();

    [Fact]
    public async Task An_installation_that_was_interrupted_is_finished_first()
    {
        copy.WriteScript("bin/dpkg", "#!/bin/sh\ncase \" $* \" in *' --configure -a '*) rm -f interrupted ;; esac\n");
        copy.WriteScript(
            "bin/apt-get",
            """
            #!/bin/sh
            case " $* " in *' install '*) ;; *) exit 0 ;; esac
            [ ! -e interrupted ] || { echo "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'" >&2; exit 100; }
            echo "$*" >>installed
            """
        );

        var (code, text) = await copy.RunAsync("touch interrupted; offline/docker.sh install tmux fish");

        Assert.True(code == 0, text);
        Assert.EndsWith(" tmux fish\n", await copy.ReadAsync("installed"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_that_cannot_be_installed_is_named_with_what_apt_get_says()
    {
        copy.WriteScript("bin/dpkg", "#!/bin/sh\nexit 2\n");
        copy.WriteScript("bin/apt-get", "#!/bin/sh\necho 'E: Unable to locate package tmux' >&2\nexit 100\n");

        var (code, text) = await copy.RunAsync("offline/docker.sh install tmux");

        Assert.Equal(1, code);
        Assert.Contains(
            "failed: could not install tmux. apt-get says: E: Unable to locate package tmux. To fix it: ",
            text,
            StringComparison.Ordinal
        );
    }
}
