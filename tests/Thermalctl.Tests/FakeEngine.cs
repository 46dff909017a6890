// The names are Docker's, whatever the properties here are called.
#pragma warning disable CA1507
using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ThermalStreaming.Testing;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>
/// Docker Engine's API on a Unix socket, as far as the program uses it, in the shapes of Engine 20.10. It answers to API versions from
/// <see cref="Oldest"/> to <see cref="Newest"/> alone.
/// </summary>
sealed class FakeEngine : IAsyncDisposable
{
    readonly TempDirectory directory = new();
    readonly WebApplication app;
    readonly Dictionary<string, (FakeContainer Container, string Command)> commands = [];
    readonly Dictionary<string, JsonNode> made = [];

    public FakeEngine(params IEnumerable<FakeContainer> containers)
    {
        Containers = [.. containers];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.ListenUnixSocket(Socket));
        builder.Services.AddRoutingCore();
        app = builder.Build();
        app.MapGet(
            "/version",
            () =>
                Json(
                    new JsonObject
                    {
                        ["Version"] = Version,
                        ["ApiVersion"] = Newest,
                        ["MinAPIVersion"] = Oldest,
                    }
                )
        );
        var api = app.MapGroup("/{version}")
            .AddEndpointFilter(
                async (call, next) =>
                {
                    var asked = System.Version.Parse(((string)call.HttpContext.GetRouteValue("version")!).TrimStart('v'));
                    return asked >= System.Version.Parse(Oldest) && asked <= System.Version.Parse(Newest)
                        ? await next(call)
                        : Problem(400, "client version is not supported");
                }
            );
        api.MapGet("/info", () => Json(new JsonObject { ["DockerRootDir"] = "/var/lib/docker", ["Containers"] = 1 }));
        api.MapGet(
            "/containers/json",
            (HttpRequest request) => Json(new JsonArray([.. List(request.Query["filters"]!).Select(container => container.Summary)]))
        );
        api.MapGet(
            "/images/json",
            () =>
                Json(
                    new JsonArray([
                        new JsonObject { ["RepoTags"] = null },
                        new JsonObject { ["RepoTags"] = new JsonArray([.. Images.Select(name => (JsonNode)name)]) },
                    ])
                )
        );
        api.MapGet("/containers/{id}/json", (string id) => Json(Container(id).Details));
        api.MapGet("/containers/{id}/logs", async (string id, HttpContext call) => await WriteLogAsync(id, call));
        api.MapPost(
            "/containers/{id}/exec",
            async (string id, HttpRequest request) =>
            {
                var container = Container(id);
                if (container.Status == "paused")
                    return Problem(409, $"Container {id} is paused, unpause the container before exec");
                var wanted = await JsonNode.ParseAsync(request.Body);
                var name = $"exec{commands.Count}";
                commands[name] = (container, string.Join(' ', wanted!["Cmd"]!.AsArray().Select(word => (string)word!)));
                Executed.Add((commands[name].Command, string.Join(' ', wanted["Env"]?.AsArray().Select(word => (string)word!) ?? [])));
                return Json(new JsonObject { ["Id"] = name }, 201);
            }
        );
        api.MapPost(
            "/exec/{id}/start",
            async (string id, HttpContext call) =>
            {
                var (_, output, errors) = Answer(id);
                await WriteAsync(call, [(1, output), (2, errors)]);
            }
        );
        api.MapGet("/exec/{id}/json", (string id) => Json(new JsonObject { ["Running"] = false, ["ExitCode"] = Answer(id).Code }));
        api.MapPost(
            "/containers/create",
            async (HttpRequest request) =>
            {
                var id = $"made{Made.Count}";
                Made.Add(made[id] = (await JsonNode.ParseAsync(request.Body))!);
                return Json(new JsonObject { ["Id"] = id }, 201);
            }
        );
        api.MapPost(
            "/containers/{id}/start",
            (string id) => made.ContainsKey(id) ? Results.NoContent() : Problem(404, "No such container")
        );
        api.MapPost("/containers/{id}/wait", (string id) => Json(new JsonObject { ["StatusCode"] = Ran(id).Code }));
        api.MapDelete("/containers/{id}", (string id) => made.Remove(id) ? Results.NoContent() : Problem(404, "No such container"));
        app.StartAsync().GetAwaiter().GetResult();
    }

    public string Socket => directory.File("docker.sock");

    public List<FakeContainer> Containers { get; }

    /// <summary>The names of the images that are here.</summary>
    public List<string> Images { get; } = [];

    public string Version { get; set; } = "20.10.24+dfsg1";

    public string Oldest { get; set; } = "1.12";

    public string Newest { get; set; } = "1.41";

    /// <summary>What a container that is made says, by the words of its command.</summary>
    public Dictionary<string, (int Code, string Output, string Errors)> Runs { get; } = [];

    /// <summary>The commands that were run in containers, with what was added to their environment.</summary>
    public List<(string Command, string Environment)> Executed { get; } = [];

    /// <summary>The descriptions of the containers that were made.</summary>
    public List<JsonNode> Made { get; } = [];

    /// <summary>How many of them were not removed.</summary>
    public int LeftOver => made.Count;

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        directory.Dispose();
    }

    IEnumerable<FakeContainer> List(string filters)
    {
        var wanted = JsonNode.Parse(filters)!;
        var labels = wanted["label"]?.AsArray().Select(label => ((string)label!).Split('=', 2)) ?? [];
        var ports = wanted["publish"]
            ?.AsArray()
            .Select(port => int.Parse((string)port!, System.Globalization.CultureInfo.InvariantCulture));
        var states = wanted["status"]?.AsArray().Select(state => (string)state!);
        return Containers.Where(container =>
            labels.All(label => (string?)container.Labels[label[0]] == label[1])
            && (ports is null || ports.Any(container.Ports.ContainsValue))
            && (states is null || states.Contains(container.Status))
        );
    }

    FakeContainer Container(string id) => Containers.Single(container => container.Id == id);

    (int Code, string Output, string Errors) Answer(string id) =>
        commands[id].Container.Commands.GetValueOrDefault(commands[id].Command, (127, "", $"{commands[id].Command}: not found\n"));

    (int Code, string Output, string Errors) Ran(string id) =>
        Runs.GetValueOrDefault(string.Join(' ', made[id]["Cmd"]!.AsArray().Select(word => (string)word!)), (127, "", "not found\n"));

    async Task WriteLogAsync(string id, HttpContext call)
    {
        if (made.ContainsKey(id))
        {
            await WriteAsync(call, [(1, Ran(id).Output), (2, Ran(id).Errors)]);
            return;
        }
        var lines = Container(id).Log;
        var tail = int.TryParse(call.Request.Query["tail"], out var count) ? count : lines.Count;
        await WriteAsync(call, lines.TakeLast(tail));
    }

    static async Task WriteAsync(HttpContext call, IEnumerable<(byte Stream, string Text)> said)
    {
        call.Response.ContentType = "application/vnd.docker.raw-stream";
        foreach (var (stream, text) in said.Where(line => line.Text.Length > 0))
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var header = new byte[8];
            header[0] = stream;
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), bytes.Length);
            await call.Response.Body.WriteAsync(header);
            // In pieces, as a network delivers them.
            foreach (var piece in bytes.Chunk(7))
                await call.Response.Body.WriteAsync(piece);
        }
    }

    static IResult Json(JsonNode answer, int code = 200) => Results.Content(answer.ToJsonString(), "application/json", Encoding.UTF8, code);

    static IResult Problem(int code, string message) => Json(new JsonObject { ["message"] = message }, code);
}
