import type { JsonObject } from '../shared/json.js';

/** One thing that is wrong with an input. `path` is like `sections[0].title`, empty for the input as a whole. */
export interface InputIssue {
  path: string;
  message: string;
}

export type InputCheck = { value: unknown } | { issues: readonly InputIssue[] };

/** Reads an agent's input, whatever it was declared with. */
export interface InputReader {
  /** Never changes `input`. Errors that the schema itself throws go on. */
  check(input: unknown): Promise<InputCheck>;
  readonly jsonSchema: JsonObject;
}

/** `['a', 'b', 0]` → `a.b[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text ? `${text}.${String(key)}` : String(key);
  }, '');
}
