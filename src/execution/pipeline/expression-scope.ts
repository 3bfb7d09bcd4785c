import type { JsonValue } from '../../shared/json.js';
import type { Reference } from './expression.js';
import { didYouMean } from '../../shared/near-names.js';
import { OPERATORS } from './logic-engine.js';

/** What an expression may refer to, by where it stands. */
export interface Scope {
  /** Steps whose results it sees. */
  readonly steps: ReadonlySet<string>;
  /** Steps beside it, seen or not. */
  readonly siblings: ReadonlySet<string>;
  /** First parts of paths. */
  readonly words: ReadonlySet<string>;
  /** An expression that gives the pipeline's input, where one does. */
  readonly inputShape: JsonValue | undefined;
}

/** Says what is wrong with the references of one expression. */
export function checkReferences(
  references: readonly Reference[],
  scope: Scope,
  problem: (at: string, message: string) => void,
): void {
  for (const { path, at } of references) {
    const message = whyNot(path, scope);
    if (message) problem(at, message);
  }
}

function whyNot([word, ...rest]: readonly string[], scope: Scope): string | undefined {
  if (word === undefined) return undefined;
  if (!scope.words.has(word)) {
    if (word === 'item') return '"item" is only known inside of "map"';
    if (word === 'last') return '"last" is only known inside of "loop"';
    if (word === 'index') return '"index" is only known inside of "map" and "loop"';
    return `there is nothing called "${word}" here; it sees ${[...scope.words].map((known) => `"${known}"`).join(', ')}`;
  }
  if (word === 'steps') return whyNoStep(rest[0], scope);
  return word === 'input' ? whyNotInput(rest, scope.inputShape) : undefined;
}

function whyNoStep(step: string | undefined, { steps, siblings }: Scope): string | undefined {
  if (step === undefined || steps.has(step)) return undefined;
  if (siblings.has(step)) return `it does not depend on the step "${step}"; add that to "dependsOn"`;
  return `there is no step "${step}" before it.${didYouMean(step, [...steps])}`;
}

/** As far as the input of a nested pipeline is written down where it is used. */
function whyNotInput(path: readonly string[], shape: JsonValue | undefined): string | undefined {
  let known = shape;
  for (const [depth, key] of path.entries()) {
    if (known === undefined || isLogic(known)) return undefined;
    const name = ['input', ...path.slice(0, depth)].join('.');
    if (typeof known !== 'object' || known === null)
      return `"${name}" is ${JSON.stringify(known)}, so it has no "${key}"`;
    if (!Object.hasOwn(known, key)) {
      return `"${name}" has no "${key}" as this pipeline is used.${didYouMean(key, Object.keys(known))}`;
    }
    known = (known as Readonly<Record<string, JsonValue>>)[key];
  }
  return undefined;
}

function isLogic(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const [key, ...others] = Object.keys(value);
  return key !== undefined && others.length === 0 && OPERATORS.has(key);
}
