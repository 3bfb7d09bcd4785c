import { defaultMethods, LogicEngine } from 'json-logic-engine';
import { CarrelError } from '../../shared/errors.js';
import type { JsonValue } from '../../shared/json.js';
import { MAX_EVALUATION_COST } from './pipeline-bounds.js';

type Method = (args: unknown, context: unknown, above: Above, engine: LogicEngine) => unknown;
/** Inside of `map` and the like: what is walked through, and the scope around. */
type Above = readonly [] | readonly [unknown, unknown, Above];
interface LazyMethod {
  readonly method: Method;
  readonly lazy?: boolean;
}

/** Operators that are taken as they are: pure, and their cost follows from their arguments. */
const TAKEN = ['if', 'and', 'or', '??', '!', '!!', '===', '!==', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'];
/** `[list, expression]`: the expression sees an item, and `../../` before a path leads out again. */
export const ITERATORS: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'some', 'none', 'reduce']);
const ON_LISTS = ['min', 'max', 'merge', 'in', 'substr', 'length', 'keys'];
const OWN = ['var', 'cat', '==', '!=', 'preserve'];

/** What an expression may be made of. Everything else in it is data. */
export const OPERATORS: ReadonlySet<string> = new Set([...TAKEN, ...ITERATORS, ...ON_LISTS, ...OWN]);
/** Data with expressions inside; made by us alone. */
export const EACH_KEY = 'eachKey';

/** One step out of `map` and the like. */
export const OUT = '../../';

const methods = defaultMethods as unknown as Readonly<Record<string, Method | LazyMethod>>;

/**
 * JSON Logic that is pure, bounded and sees own properties only: no operator of the library that reads on through a
 * prototype is in it, and everything that costs is counted.
 */
class BoundedLogic extends LogicEngine {
  #cost = 0;

  constructor() {
    super(
      { ...pick(TAKEN), ...metered([...ITERATORS]), ...metered(ON_LISTS), ...OWN_METHODS },
      // plans are run as they stand: the optimiser goes round the methods of ours
      { disableInline: true, disableInterpretedOptimization: true },
    );
  }

  evaluate(logic: JsonValue, known: object): unknown {
    this.#cost = 0;
    return this.run(logic, known);
  }

  charge(cost: number): void {
    this.#cost += cost;
    if (this.#cost > MAX_EVALUATION_COST) {
      throw new CarrelError('pipeline_failed', `it takes more than ${MAX_EVALUATION_COST} operations`);
    }
  }

  override run(logic: unknown, known?: unknown, options?: { above?: unknown }): unknown {
    this.charge(1);
    return super.run(logic, known, options) as unknown;
  }

  /** As JSON Logic has it: nothing, 0 and what is empty is false. */
  override truthy(value: unknown): boolean {
    if (Array.isArray(value)) return value.length > 0;
    if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
    return Boolean(value);
  }
}

const OWN_METHODS: Readonly<Record<string, Method | LazyMethod>> = {
  var: { method: (args, context, above) => lookUp(args as readonly unknown[], context, above) },
  cat: { method: (args, _context, _above, engine) => joined(args as readonly unknown[], engine as BoundedLogic) },
  '==': { method: (args) => looselyEqual(args as readonly unknown[]) },
  '!=': { method: (args) => !looselyEqual(args as readonly unknown[]) },
  preserve: { lazy: true, method: (data) => data },
  [EACH_KEY]: {
    lazy: true,
    method: (data, context, above, engine) =>
      Object.fromEntries(
        Object.entries(data as object).map(([key, value]) => [key, engine.run(value, context, { above }) as unknown]),
      ),
  },
};

/** The own property that a path leads to, or the default, which is null. */
function lookUp([path, fallback = null]: readonly unknown[], context: unknown, above: Above): unknown {
  let rest = textOf(path);
  let value = context;
  for (let around = above; rest.startsWith(OUT); rest = rest.slice(OUT.length)) {
    value = around[1];
    around = around[2] ?? [];
  }
  if (rest === '') return value ?? fallback;
  for (const key of rest.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return fallback;
    value = (value as Record<string, unknown>)[key];
  }
  return value ?? fallback;
}

function joined(parts: readonly unknown[], engine: BoundedLogic): string {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'object' && part !== null) {
      throw new CarrelError('pipeline_failed', '"cat" joins texts and numbers, not lists or objects');
    }
    const piece = textOf(part);
    engine.charge(piece.length);
    text += piece;
  }
  return text;
}

/** Of a text, a number, or true and false; nothing of anything else. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Lists, objects and null are equal to themselves only; texts and numbers as in JavaScript. */
function looselyEqual([a = null, b = null]: readonly unknown[]): boolean {
  const isPlain = [a, b].every((value) => value !== null && typeof value !== 'object');
  // oxlint-disable-next-line eqeqeq -- what the operator is for
  return isPlain ? a == b : a === b;
}

function pick(names: readonly string[]): Record<string, Method | LazyMethod> {
  return Object.fromEntries(names.map((name) => [name, methodOf(name)]));
}

/** Methods of the library whose cost is the length of the lists and texts that they are given. */
function metered(names: readonly string[]): Record<string, LazyMethod> {
  return Object.fromEntries(
    names.map((name) => {
      const inner = methodOf(name);
      const { method, lazy = false } = typeof inner === 'function' ? { method: inner } : inner;
      const measured: Method = (args, context, above, engine) => {
        const [list, ...rest] = Array.isArray(args) ? (args as readonly unknown[]) : [args];
        // the list is found out here, once, and handed on as data
        const seen: unknown = lazy ? engine.run(list, context, { above }) : list;
        for (const value of lazy ? [seen] : [seen, ...rest]) (engine as BoundedLogic).charge(lengthOf(value));
        if (ITERATORS.has(name) && seen !== null && !Array.isArray(seen)) {
          throw new CarrelError('pipeline_failed', `"${name}" needs a list`);
        }
        return method(lazy ? [{ preserve: seen }, ...rest] : args, context, above, engine);
      };
      return [name, { method: measured, lazy }];
    }),
  );
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : 1;
}

function methodOf(name: string): Method | LazyMethod {
  const method = methods[name];
  if (!method) throw new Error(`json-logic-engine has no operator "${name}" any more`);
  return method;
}

const engine = new BoundedLogic();

/** @throws CarrelError `pipeline_failed`, with a message that says why it can't be evaluated */
export function evaluateLogic(logic: JsonValue, known: object): unknown {
  try {
    return engine.evaluate(logic, known);
  } catch (error) {
    if (error instanceof CarrelError) throw error;
    throw new CarrelError('pipeline_failed', reasonOf(error), { cause: error });
  }
}

/** The library throws `NaN`, objects with a `type`, and what JavaScript throws. */
function reasonOf(error: unknown): string {
  if (typeof error === 'number') return 'it computes with something that is no number';
  if (error instanceof Error) return error.message;
  const type = typeof error === 'object' && error !== null && 'type' in error ? String(error.type) : 'it fails';
  return type === 'Invalid Arguments' ? 'an operator has arguments that it can do nothing with' : type;
}
