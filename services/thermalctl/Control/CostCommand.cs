using System.CommandLine;
using Spectre.Console;
using ThermalStreaming.Control;

namespace ThermalStreaming.Thermalctl;

/// <summary>The verb <c>cost</c>: both roads side by side.</summary>
static class CostCommand
{
    const double DaysAMonth = 365.25 / 12;

    public static Command Create() =>
        new Command(
            "cost",
            "Estimates the cost of a day and a month from what was sent, for the road in use and the other one."
        ).AsksChosen(
            async (run, cancellationToken) =>
            {
                // The count is kept in the volume that the replicas of a service share.
                var outcomes = (await run.ForwardersAsync(cancellationToken)).OneEach().Select(Outcome).ToList();
                var code = run.Show(
                    outcomes,
                    cost =>
                        ShortText.Text($"{cost.UsdPerDay:0.0000} USD a day, {cost.UsdPerDay * DaysAMonth:0.00} a month; ")
                        + ShortText.Text($"{Other(cost)} {cost.OtherRoadUsdPerDay:0.0000} a day"),
                    (writer, cost) =>
                    {
                        writer.WriteString("road", cost.Road);
                        JsonText.Number(writer, "usd_per_day", cost.UsdPerDay, 6);
                        JsonText.Number(writer, "usd_per_month", cost.UsdPerDay * DaysAMonth, 6);
                        JsonText.Number(writer, "credits_per_day", cost.CreditsPerDay, 6);
                        JsonText.Number(writer, "billed_bytes_per_day", cost.BilledBytesPerDay, 0);
                        JsonText.Number(writer, "requests_per_day", cost.RequestsPerDay, 0);
                        JsonText.Number(writer, "counted_days", cost.CountedDays);
                        JsonText.Number(writer, "other_road_usd_per_day", cost.OtherRoadUsdPerDay, 6);
                    },
                    Print
                );
                if (!run.WantsJson)
                    run.Console.WriteLine(
                        "An estimate from the readings sent recently: docs/cost.md says what it contains, and which prices it uses."
                    );
                return code;
            }
        );

    static CallOutcome<Cost> Outcome(ReplicaStatus replica) =>
        new(
            replica,
            replica.HasAnswered ? replica.Forwarder?.Cost : null,
            replica.Problem
                ?? new CallProblem("has sent nothing yet", "wait for the first batch; ./thermalctl status shows whether one was sent")
        );

    static string Other(Cost cost) => cost.Road == "files" ? "streamed" : "as files";

    static void Print(IAnsiConsole console, Cost cost) =>
        console.WriteLine(
            ShortText.Text($"    {cost.CreditsPerDay:0.000000} credits, {cost.BilledBytesPerDay / 1e6:0.###} MB billed ")
                + ShortText.Text($"and {cost.RequestsPerDay:#,0} requests a day; counted over ")
                + (
                    cost.CountedDays < 1
                        ? ShortText.Text($"{cost.CountedDays * 24:0.#} h: a guess until a day has passed")
                        : ShortText.Text($"{cost.CountedDays:0.#} days")
                )
        );
}
