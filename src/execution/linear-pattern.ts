import { RE2JS } from 're2js';

/** As ajv wants it: of a `RegExp` it only uses `test`, and knows it by its text. */
interface Pattern {
  test(text: string): boolean;
  toString(): string;
}

/**
 * A pattern of somebody else's schema, which takes no longer than its text is long: one for a `RegExp` can be made so that
 * it takes for ever. What only a `RegExp` can do (looking ahead and behind, back references) is not checked.
 */
export function linearPattern(source: string): Pattern {
  const pattern = compiled(source);
  return { test: (text) => pattern?.test(text) ?? true, toString: () => `/${source}/u` };
}

/** The engine's name in code that ajv would write out; it never does here. */
linearPattern.code = 'linearPattern';

/** @throws SyntaxError when it is none */
function compiled(source: string): RE2JS | undefined {
  void new RegExp(source, 'u');
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch {
    return undefined;
  }
}
