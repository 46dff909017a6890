using System.Text.Json.Nodes;

namespace ThermalStreaming.Thermalctl;

/// <summary>
/// The private key that signs in to Snowflake, where Compose mounts it from. It must exist, and its service must be able to read it. A new
/// pair is made only inside the project and if there is no other key: elsewhere a missing key is a typing error, or a disk that is not
/// mounted. Other containers examine the key, because this one cannot see the machine's files, and because they may be root's.
/// </summary>
sealed class PrivateKey(DockerEngine docker, ComposeProject project, Narrator narrator)
{
    const string Owner = "1654:1654";
    const string Root = "0:0";
    const string UsualUser = "THERMAL_STREAMING_USER";
    const string Keys = "/keys";

    static readonly string[] keyEndings = [".p8", ".pem", ".key", ".der", ".pub"];

    string Shell => Image("mosquitto");

    /// <param name="directory">The project's directory on the machine.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="FailureException">
    /// There is no key that the service can use; or a pair was made, which must be registered at Snowflake.
    /// </exception>
    public async Task CheckAsync(string directory, CancellationToken cancellationToken)
    {
        if (project.HasStandIns || project.Value("secrets", "rsa_key.p8", "file") is not { } path)
            return;
        var folder = Path.GetDirectoryName(path)!;
        var name = Path.GetFileName(path);
        var found = await ListAsync(folder, name, cancellationToken);
        if (found.Contains($"{name}/"))
        {
            throw new FailureException(
                $"{path} is a directory",
                "If a file to mount is missing, Docker makes a directory in its place",
                $"rmdir '{path}', put the key there, then ./up again"
            );
        }
        if (!found.Contains(name))
        {
            var isInside = folder.StartsWith($"{directory}/", StringComparison.Ordinal);
            throw Missing(path, directory, isInside, found) ?? await MakeAsync(path, folder, name, cancellationToken);
        }
        await ReadAsync(path, folder, name, cancellationToken);
    }

    async Task<IReadOnlyList<string>> ListAsync(string folder, string name, CancellationToken cancellationToken)
    {
        string reason;
        try
        {
            var answer = await RunAsync(Shell, Root, folder, isReadOnly: true, ["ls", "-Ap", Keys], cancellationToken);
            if (answer.ExitCode == 0)
                return answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            reason = answer.LastLine;
        }
        catch (EngineException e)
        {
            reason = e.Message;
        }
        throw new FailureException(
            $"{folder} cannot be read",
            $"The private key should be there as {name}; Docker says: {reason}",
            "correct SNOWFLAKE_PRIVATE_KEY_PATH in .env, or mount that disk"
        );
    }

    /// <returns>Null if a pair may be made.</returns>
    static FailureException? Missing(string path, string directory, bool isInside, IReadOnlyList<string> found)
    {
        if (!isInside)
        {
            return new FailureException(
                $"there is no {path}",
                $"SNOWFLAKE_PRIVATE_KEY_PATH names it, and ./up makes keys only inside {directory}",
                "put the key there, or correct that line in .env"
            );
        }
        var others = found.Where(file => keyEndings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal))).ToList();
        return others.Count == 0
            ? null
            : new FailureException(
                $"there is no {path}",
                $"Another key is in the same directory: {string.Join(' ', others)}",
                "set SNOWFLAKE_PRIVATE_KEY_PATH in .env to the right file; to get a new pair, move the other key away first"
            );
    }

    /// <returns>What must be done before a start.</returns>
    async Task<FailureException> MakeAsync(string path, string folder, string name, CancellationToken cancellationToken)
    {
        narrator.Step("Key pair");
        narrator.Say($"there is no {path} yet: making a key pair");
        var user = project.Value("services", "snowpipe-forwarder", "environment", "SNOWFLAKE_USER") ?? UsualUser;
        string[] keygen = ["keygen", "--output", $"{Keys}/{name}", "--user", user];
        var made = await RunAsync(Image("snowpipe-forwarder"), Root, folder, isReadOnly: false, keygen, cancellationToken);
        if (made.ExitCode != 0)
        {
            return new FailureException(
                "could not make a key pair",
                $"keygen says: {made.LastLine}",
                $"correct what keygen names, or put your own PKCS#8 key at {path}"
            );
        }
        await RunAsync(Shell, Root, folder, isReadOnly: false, ["chown", Owner, $"{Keys}/{name}"], cancellationToken);
        foreach (var line in made.Output.TrimEnd().Split('\n'))
            narrator.Say(line);
        return new FailureException(
            "Snowflake does not know the new key yet",
            $"It was made just now, at {path}",
            "run the ALTER USER statement above as an administrator of the account, then ./up again"
        );
    }

    /// <summary>Whether the service can read it, and other users of the machine cannot.</summary>
    async Task ReadAsync(string path, string folder, string name, CancellationToken cancellationToken)
    {
        var isReadable = await RunAsync(Shell, Owner, path, isReadOnly: true, ["test", "-r", Keys], cancellationToken);
        string[] stat = ["stat", "-c", "%u, mode %a", $"{Keys}/{name}"];
        var owner = (await RunAsync(Shell, Root, folder, isReadOnly: true, stat, cancellationToken)).Output.Trim();
        if (isReadable.ExitCode != 0)
        {
            throw new FailureException(
                $"the service cannot read {path}",
                $"It runs as user id 1654, the file belongs to {owner}",
                $"sudo chown 1654 '{path}' && sudo chmod 600 '{path}'"
            );
        }
        if (!owner.EndsWith("00", StringComparison.Ordinal))
        {
            narrator.Warn(
                $"every user of this machine can read {path} ({owner[(owner.IndexOf(' ', StringComparison.Ordinal) + 1)..]}): "
                    + $"sudo chown 1654 '{path}' && sudo chmod 600 '{path}'"
            );
        }
    }

    string Image(string service) => project.Value("services", service, "image") ?? "";

    Task<CommandOutput> RunAsync(
        string image,
        string user,
        string source,
        bool isReadOnly,
        string[] command,
        CancellationToken cancellationToken
    ) =>
        docker.RunAsync(
            new JsonObject
            {
                ["Image"] = image,
                ["User"] = user,
                ["Cmd"] = new JsonArray([.. command.Select(word => (JsonNode)word)]),
                ["HostConfig"] = new JsonObject
                {
                    ["NetworkMode"] = "none",
                    ["Mounts"] = new JsonArray(
                        new JsonObject
                        {
                            ["Type"] = "bind",
                            ["Source"] = source,
                            ["Target"] = Keys,
                            ["ReadOnly"] = isReadOnly,
                        }
                    ),
                },
            },
            cancellationToken
        );
}
