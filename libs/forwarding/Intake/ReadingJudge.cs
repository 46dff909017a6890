using ThermalStreaming.Readings;

namespace ThermalStreaming.Forwarding;

/// <summary>Finds the readings of a message that break a validation rule. Not thread-safe.</summary>
/// <param name="rules">The rules, and what happens to a reading that breaks one.</param>
sealed class ReadingJudge(IntakeRules rules)
{
    readonly RuleChecker checker = new(rules.Rules);

    /// <summary>Counts the rules that the readings of a payload break.</summary>
    /// <param name="payload">The readings. Those that already have a problem are not judged.</param>
    /// <param name="problems">Why readings cannot be taken, by index in ascending order; the readings that become dead letters are
    /// added.</param>
    /// <param name="isReplay">A replay leaves nothing out: the dead letter is the only copy of its readings.</param>
    /// <returns>The readings to leave out, by index; null when there are none.</returns>
    public HashSet<int>? Judge(Payload payload, ref IReadOnlyDictionary<int, string> problems, bool isReplay)
    {
        HashSet<int>? leftOut = null;
        SortedDictionary<int, string>? all = null;
        for (var i = 0; i < payload.Count; i++)
        {
            if (payload.Problems.ContainsKey(i))
                continue;
            var broken = checker.Broken(payload, i, rejectingOnly: false);
            foreach (var one in broken)
                rules.Count(one.Rule.Name);
            broken.RemoveAll(one => one.Rule.Effect != RuleEffect.Reject);
            if (broken.Count == 0)
                continue;
            if (rules.Keeps || isReplay)
                (all ??= new(payload.Problems.ToDictionary()))[i] =
                    $"breaks a validation rule ({rules.Rules.Name}): {string.Join("; ", broken)}";
            else
                (leftOut ??= []).Add(i);
        }
        if (leftOut is not null)
            rules.Dropped(leftOut.Count);
        problems = all ?? problems;
        return leftOut;
    }
}
