/** Steps of one pipeline, with those of the pipelines and groups in it; what `map` and `loop` repeat counts once. */
export const MAX_STEPS = 200;
/** Steps at work at once, and items of a `map`. */
export const MAX_CONCURRENCY = 64;
export const DEFAULT_CONCURRENCY = 8;
export const MAX_LOOP_ROUNDS = 1_000;
export const MAX_MAP_ITEMS = 1_000;
/** A pipeline as data. */
export const SPEC_BOUNDS = { maxBytes: 256 * 1024, maxDepth: 80 };
/** Nesting of one expression. */
export const MAX_EXPRESSION_DEPTH = 30;
/** What evaluating one expression may cost: operators applied, items walked through, characters put together. */
export const MAX_EVALUATION_COST = 100_000;
/** Characters of what one expression gives. */
export const MAX_VALUE_CHARS = 1024 * 1024;
/** Characters of all results of steps that a pipeline's result repeats. */
export const MAX_REPEATED_CHARS = 128 * 1024;
/** Of everything that is wrong with a pipeline. */
export const MAX_ISSUES = 50;

/** What a step, a pipeline as data and a part of a step's path may be called. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const NAME_RULE =
  'must be letters, digits, "-" and "_", begin with a letter or a digit, and have at most 64 characters';
