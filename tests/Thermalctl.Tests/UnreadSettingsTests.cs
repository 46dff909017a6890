using System.Text;
using ThermalStreaming.Hosting;

namespace ThermalStreaming.Thermalctl.Tests;

/// <summary>The step <c>.env</c> of <c>./check</c>: names that no Compose file reads.</summary>
public sealed class UnreadSettingsTests
{
    const string Compose = """
        # NOT_READ: ${NOT_READ_EITHER}
        x-environment: &environment
          LOG_LEVEL:
          DATA_DIRECTORY: /data
        services:
          s3-forwarder:
            environment:
              <<: *environment
              S3_BUCKET: ${S3_BUCKET:-thermal-streaming}
              SNOWFLAKE_USER: ${SNOWPIPE_USER:-${SNOWFLAKE_USER:-}}
              S3_BATCH_LINGER:
              SNOWPIPE_BATCH_LINGER: # a comment
              PRICE: $$NO_VARIABLE$PRICE_IN_CENT
          other:
            environment:
              - PASSED_ON
              - SET=here
        secrets:
          pat:
            file: ${SNOWFLAKE_PAT_PATH:-/dev/null}
        """;

    static CheckResult Judge(string env, params string[] more) => UnreadSettings.Judge(new SettingsSources(env, [Compose, .. more]));

    [Theory]
    [InlineData("", "no settings in it")]
    [InlineData("# S3_BUKET=x\n\n", "no settings in it")]
    [InlineData("S3_BUCKET=x\nLOG_LEVEL=Debug\n", "2 names, all known")]
    [InlineData("\uFEFFexport S3_BUCKET = 'x'\r\n  SNOWPIPE_USER: y\r\nSNOWFLAKE_USER=\r\n", "3 names, all known")]
    [InlineData("PASSED_ON=1\nPRICE_IN_CENT=2\n", "2 names, all known")]
    [InlineData("HOST_PART=pi\nS3_BUCKET=${HOST_PART}-bucket\n", "2 names, all known")]
    [InlineData("S3_BUCKET=\"a\nS3_BUKET=b\"\nLOG_LEVEL='c\nNOTHING=d'\n", "2 names, all known")]
    [InlineData("COMPOSE_FILE=compose.yaml\nCOMPOSE_OF_TOMORROW=1\nDOCKER_BUILDKIT=1\nhttps_proxy=http://proxy\n", "4 names, all known")]
    public void Names_that_something_reads_are_well(string env, string detail)
    {
        var result = Judge(env);

        Assert.Equal((CheckOutcome.Ok, detail), (result.Outcome, result.Detail));
    }

    [Theory]
    [InlineData("S3_BUKET=secret", "S3_BUKET", "S3_BUCKET")]
    [InlineData("log_level=secret", "log_level", "LOG_LEVEL")]
    [InlineData("LOGLEVEL=secret", "LOGLEVEL", "LOG_LEVEL")]
    [InlineData("BATCH_LINGER=secret", "BATCH_LINGER", "S3_BATCH_LINGER or SNOWPIPE_BATCH_LINGER")]
    [InlineData("SNOWFLAKE_PAT_FILE=secret", "SNOWFLAKE_PAT_FILE", "SNOWFLAKE_PAT_PATH")]
    [InlineData("COMPOSE_FILES=secret", "COMPOSE_FILES", "COMPOSE_FILE")]
    [InlineData("NO_VARIABLE=secret", "NO_VARIABLE", null)]
    [InlineData("NOT_READ_EITHER=secret", "NOT_READ_EITHER", null)]
    // The Compose files set it themselves.
    [InlineData("DATA_DIRECTORY=secret", "DATA_DIRECTORY", null)]
    public void A_name_that_nothing_reads_is_named_with_the_one_that_may_have_been_meant(string env, string name, string? meant)
    {
        var result = Judge($"LOG_LEVEL=Debug\n{env}\n");

        Assert.Equal(
            (
                CheckOutcome.Warning,
                $"{name} has no effect",
                "No Compose file of this installation reads this name.",
                "correct or remove it in .env, then ./up --no-build; .env.example has every setting"
                    + (meant is null ? "" : $". Did you mean {meant} for {name}?")
            ),
            (result.Outcome, result.Detail, result.Cause, result.Fix)
        );
    }

    [Fact]
    public void All_names_that_nothing_reads_are_in_one_step()
    {
        var result = Judge("S3_BUKET=x\nSOMETHING_ELSE=y\nS3_BUKET=z\nLOGLEVEL=w\n");

        Assert.Equal("S3_BUKET, SOMETHING_ELSE, LOGLEVEL have no effect", result.Detail);
        Assert.Equal(
            "correct or remove them in .env, then ./up --no-build; .env.example has every setting. Did you mean S3_BUCKET for S3_BUKET, LOG_LEVEL for LOGLEVEL?",
            result.Fix
        );
    }

    [Fact]
    public void A_compose_file_of_the_installation_makes_its_names_known() =>
        Assert.Equal(CheckOutcome.Ok, Judge("MINE=1\n", "services:\n  mine:\n    image: ${MINE}\n").Outcome);

    [Fact]
    public void The_texts_come_with_the_settings_and_need_not()
    {
        var project = Project.With("mosquitto");
        Assert.Null(SettingsSources.Of(project.Parse()));
        project["x-thermal-sources"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("A=ü\n\x1dservices:\n\x1dnetworks:\n"));

        var sources = SettingsSources.Of(project.Parse())!;

        Assert.Equal("A=ü\n", sources.Env);
        Assert.Equal(["services:\n", "networks:\n"], sources.ComposeFiles);
    }
}
