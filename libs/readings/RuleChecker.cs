using System.Buffers;

namespace ThermalStreaming.Readings;

/// <summary>Applies rules to readings. Keeps its buffers between readings; not thread-safe.</summary>
public sealed class RuleChecker
{
    static readonly RowStamp stamp = new(DateTimeOffset.UnixEpoch, "");

    readonly KindRules inverter,
        thermal;
    readonly ArrayBufferWriter<byte> row = new(1024);

    public RuleChecker(ValidationRules rules)
    {
        inverter = new KindRules(rules.Inverter, InverterMetrics.All);
        thermal = new KindRules(rules.Thermal, new Dictionary<string, Func<InverterReading, double?>>());
    }

    /// <summary>Whether a reading breaks a rule that rejects.</summary>
    public bool Rejects(Payload payload, int index)
    {
        var rules = Of(payload.Kind);
        if (rules.Rejecting.Count == 0)
            return false;
        Look(rules, payload, index, rules.RejectingNeedRow);
        foreach (var rule in rules.Rejecting)
        {
            if (rule.IsBroken(rules.Values))
                return true;
        }
        return false;
    }

    /// <summary>The rules that a reading breaks, in the file's order: those that reject it, or all.</summary>
    public List<BrokenRule> Broken(Payload payload, int index, bool rejectingOnly)
    {
        var rules = Of(payload.Kind);
        if (rules.All.Count == 0)
            return [];
        Look(rules, payload, index, rejectingOnly ? rules.RejectingNeedRow : rules.NeedRow);
        return rules.Broken(rejectingOnly ? rules.Rejecting : rules.All);
    }

    /// <summary>The rules broken by a row that was written from a reading of <paramref name="kind"/>.</summary>
    public List<BrokenRule> Broken(ReadingKind kind, ReadOnlySpan<byte> written)
    {
        var rules = Of(kind);
        if (rules.All.Count == 0)
            return [];
        rules.Values.Read(written);
        return rules.Broken(rules.All);
    }

    KindRules Of(ReadingKind kind) => kind == ReadingKind.Thermal ? thermal : inverter;

    void Look(KindRules rules, Payload payload, int index, bool needsRow)
    {
        if (needsRow)
        {
            row.ResetWrittenCount();
            payload.WriteRow(index, row, stamp, 0);
            rules.Values.Read(row.WrittenSpan);
        }
        if (payload.Kind == ReadingKind.Inverter)
            rules.Measure(payload.Inverter(index));
    }

    sealed class KindRules
    {
        readonly (int Metric, Func<InverterReading, double?> Value)[] measured;

        public KindRules(IReadOnlyList<ValidationRule> rules, IReadOnlyDictionary<string, Func<InverterReading, double?>> measurements)
        {
            All = rules;
            Rejecting = [.. rules.Where(rule => rule.Effect == RuleEffect.Reject)];
            Values = new RuleValues(rules.SelectMany(rule => rule.Metrics));
            measured =
            [
                .. Values.Metrics.Select((name, i) => (i, measurements.GetValueOrDefault(name)!)).Where(metric => metric.Item2 is not null),
            ];
            NeedRow = Needs(All);
            RejectingNeedRow = Needs(Rejecting);

            bool Needs(IReadOnlyList<ValidationRule> some) =>
                some.SelectMany(rule => rule.Metrics).Any(name => !measurements.ContainsKey(name));
        }

        public IReadOnlyList<ValidationRule> All { get; }

        public IReadOnlyList<ValidationRule> Rejecting { get; }

        public RuleValues Values { get; }

        /// <summary>Whether a rule needs a value that only the row has.</summary>
        public bool NeedRow { get; }

        public bool RejectingNeedRow { get; }

        public void Measure(InverterReading reading)
        {
            foreach (var (metric, value) in measured)
                Values.Set(metric, RuleValue.Of(value(reading)));
        }

        public List<BrokenRule> Broken(IReadOnlyList<ValidationRule> rules)
        {
            List<BrokenRule> broken = [];
            foreach (var rule in rules)
            {
                if (rule.Problem(Values) is { } problem)
                    broken.Add(new BrokenRule(rule, problem));
            }
            return broken;
        }
    }
}
