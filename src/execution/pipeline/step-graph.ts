import { NAME_PATTERN, NAME_RULE } from './pipeline-bounds.js';
import { didYouMean } from '../../shared/near-names.js';
import type { StepDraft } from './pipeline-draft.js';
import type { Path, PlanIssues } from './plan-issues.js';

/**
 * Siblings and what each depends on, directly or not. What is wrong with names and dependencies is added to the issues;
 * the answer is only of use when there are none.
 */
export function dependenciesOf(
  steps: readonly StepDraft[],
  path: Path,
  issues: PlanIssues,
): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map(steps.map(({ name, dependsOn = [] }) => [name, dependsOn]));
  checkNames(steps, path, issues);
  for (const [i, { dependsOn = [] }] of steps.entries()) {
    for (const [j, dependency] of dependsOn.entries()) {
      if (direct.has(dependency)) continue;
      const hint = didYouMean(dependency, [...direct.keys()]);
      issues.add([...path, i, 'dependsOn', j], `there is no step "${dependency}" beside it.${hint}`);
    }
  }
  const cycle = cycleIn(direct);
  if (cycle) {
    const at = steps.findIndex(({ name }) => name === cycle[0]);
    issues.add([...path, at, 'dependsOn'], `the steps wait for each other: ${[...cycle, cycle[0]].join(' → ')}`);
    const all = new Set(direct.keys()); // so that no reference seems wrong besides
    return new Map(steps.map(({ name }) => [name, all]));
  }
  return closureOf(direct);
}

function checkNames(steps: readonly StepDraft[], path: Path, issues: PlanIssues): void {
  const seen = new Map<string, number>();
  for (const [i, { name }] of steps.entries()) {
    const first = seen.get(name);
    if (!NAME_PATTERN.test(name)) issues.add([...path, i, 'name'], NAME_RULE);
    else if (first !== undefined)
      issues.add([...path, i, 'name'], `"${name}" is the name of step ${first + 1} already`);
    else seen.set(name, i);
  }
}

/** One cycle, if there is any. */
function cycleIn(direct: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const under = new Set<string>();
  const visit = (name: string): string[] | undefined => {
    if (done.has(name)) return undefined;
    if (under.has(name)) return [...under].slice([...under].indexOf(name));
    under.add(name);
    for (const dependency of direct.get(name) ?? []) {
      const cycle = visit(dependency);
      if (cycle) return cycle;
    }
    under.delete(name);
    done.add(name);
    return undefined;
  };
  for (const name of direct.keys()) {
    const cycle = visit(name);
    if (cycle) return cycle;
  }
  return undefined;
}

function closureOf(direct: ReadonlyMap<string, readonly string[]>): Map<string, ReadonlySet<string>> {
  const closure = new Map<string, ReadonlySet<string>>();
  const visit = (name: string): ReadonlySet<string> => {
    const known = closure.get(name);
    if (known) return known;
    const all = new Set<string>();
    for (const dependency of direct.get(name) ?? []) {
      all.add(dependency);
      for (const indirect of visit(dependency)) all.add(indirect);
    }
    closure.set(name, all);
    return all;
  };
  for (const name of direct.keys()) visit(name);
  return closure;
}
