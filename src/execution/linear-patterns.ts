import { RE2JS } from 're2js';

interface Pattern {
  test(text: string): boolean;
  toString(): string;
}

/** What is not understood here is left to whoever made it. */
const ANYTHING: Pattern = { test: () => true };

/**
 * Patterns of a schema that comes from elsewhere, in time linear to the text: one of JavaScript's own could be written, or
 * met by a text, so that it holds up the thread for hours. Look-arounds and references back are not understood.
 */
export const linearPatterns = Object.assign(
  (pattern: string): Pattern => {
    try {
      const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
      // ajv knows a pattern by its text: without it, all patterns of a schema would be the first one
      return { test: (text) => compiled.matcher(text).find(), toString: () => `/${pattern}/` };
    } catch {
      return ANYTHING;
    }
  },
  { code: 'linearPatterns' },
);
