import type { JsonObject, JsonValue } from '../../shared/json.js';
import { cutLine, type Formula, type Known } from './formula.js';
import { EACH_KEY, evaluateLogic, ITERATORS, OPERATORS, OUT } from './logic-engine.js';
import { MAX_EXPRESSION_DEPTH } from './pipeline-bounds.js';

/** A `var` that leads into what the pipeline knows: `steps.triage.score` as its parts. */
export interface Reference {
  readonly path: readonly string[];
  /** Where it is written, below the expression. */
  readonly at: string;
}

const EXPLAINED_PATHS = 4;
const EXPLAINED_CHARS = 60;

/** An expression as data, read once: JSON Logic, or plain data with JSON Logic anywhere inside. */
export class ExpressionFormula implements Formula {
  readonly text: string;
  readonly references: readonly Reference[];
  /** Whether it is plain data without any logic, so that it is always the same. */
  readonly isConstant: boolean;

  private constructor(
    private readonly logic: JsonValue,
    readonly source: JsonValue,
    reader: Reader,
  ) {
    this.text = cutLine(JSON.stringify(source));
    this.references = reader.references;
    this.isConstant = !reader.hasLogic;
  }

  /** @returns sentences, each with its place below the expression, when it can't be read */
  static read(source: JsonValue): ExpressionFormula | readonly { at: string; message: string }[] {
    const reader = new Reader();
    const logic = reader.read(source, '', 0, 0);
    return reader.problems.length > 0 ? reader.problems : new ExpressionFormula(logic, source, reader);
  }

  explain(known: Known): string {
    const paths = [...new Set(this.references.map(({ path }) => path.join('.')))].slice(0, EXPLAINED_PATHS);
    return paths
      .map((path) => {
        const value = JSON.stringify(evaluateLogic({ var: path }, known));
        return `${path} is ${value.length > EXPLAINED_CHARS ? `${value.slice(0, EXPLAINED_CHARS)}…` : value}`;
      })
      .join(', ');
  }

  evaluate(known: Known): unknown {
    return evaluateLogic(this.logic, known);
  }
}

/** Turns an expression into one tree of logic. Data in it become operators too, so that the engine walks them. */
class Reader {
  readonly references: Reference[] = [];
  readonly problems: { at: string; message: string }[] = [];
  hasLogic = false;

  /** @param inside how many `map` and the like are around */
  read(source: JsonValue, at: string, inside: number, depth: number): JsonValue {
    if (typeof source !== 'object' || source === null) return source;
    if (depth > MAX_EXPRESSION_DEPTH) {
      this.problems.push({ at, message: `is nested deeper than ${MAX_EXPRESSION_DEPTH} levels` });
      return null;
    }
    if (isList(source)) return source.map((item, i) => this.read(item, `${at}[${i}]`, inside, depth + 1));
    const keys = Object.keys(source);
    const [key] = keys;
    if (key !== undefined && keys.length === 1 && OPERATORS.has(key)) {
      this.hasLogic ||= key !== 'preserve';
      return this.readOperator(key, source[key] ?? null, `${at}.${key}`, inside, depth + 1);
    }
    return { [EACH_KEY]: this.readData(source, at, inside, depth + 1) };
  }

  private readData(source: JsonObject, at: string, inside: number, depth: number): JsonObject {
    return Object.fromEntries(
      Object.entries(source).map(([key, value]) => [key, this.read(value ?? null, `${at}.${key}`, inside, depth)]),
    );
  }

  private readOperator(operator: string, args: JsonValue, at: string, inside: number, depth: number): JsonValue {
    if (operator === 'preserve') return { preserve: args };
    if (operator === 'var') return this.readVar(args, at, inside, depth);
    if (!ITERATORS.has(operator)) return { [operator]: this.read(args, at, inside, depth) };
    if (!isList(args) || args.length < 2) {
      this.problems.push({ at, message: `needs a list and an expression: {"${operator}": [list, expression]}` });
      return null;
    }
    const [list = null, each = null, ...rest] = args;
    return {
      [operator]: [
        this.read(list, `${at}[0]`, inside, depth),
        this.read(each, `${at}[1]`, inside + 1, depth),
        ...rest.map((arg, i) => this.read(arg, `${at}[${i + 2}]`, inside, depth)),
      ],
    };
  }

  private readVar(args: JsonValue, at: string, inside: number, depth: number): JsonValue {
    const [path = '', ...fallback] = isList(args) ? args : [args];
    if ((typeof path !== 'string' && typeof path !== 'number') || fallback.length > 1) {
      this.problems.push({ at, message: 'must be a path as text, like "steps.triage.score", or [path, default]' });
      return null;
    }
    let rest = String(path);
    let out = 0;
    for (; rest.startsWith(OUT); rest = rest.slice(OUT.length)) out++;
    if (out > inside) this.problems.push({ at, message: `"${cutLine(String(path))}" leads out of the expression` });
    else if (out === inside) this.references.push({ path: rest === '' ? [] : rest.split('.'), at });
    return { var: [String(path), ...fallback.map((value) => this.read(value, `${at}[1]`, inside, depth + 1))] };
  }
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
