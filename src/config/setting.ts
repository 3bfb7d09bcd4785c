import { z } from 'zod';

/** Settings are shown in these groups, in this order. */
type SettingGroup =
  | 'Server'
  | 'Identity'
  | 'Data'
  | 'Several nodes'
  | "A user's share"
  | 'Runs'
  | 'Limits'
  | 'Tools and models'
  | 'Logging';

/** What is known about a setting besides its schema; feeds error messages, `--help` and docs/configuration.md alike. */
export interface SettingFacts {
  group: SettingGroup;
  /** One sentence, without the full stop. */
  about: string;
  /** What the value may be: completes the sentence "it must be …". */
  accepts: string;
  /** The value as it would be written in the environment; undefined: none. */
  default: string | undefined;
  unit?: 'ms' | 's' | 'days' | 'bytes';
  /** What stands for the value in `--help`. */
  placeholder: string;
  /** A name on the command line besides the one that is made from the variable's. */
  shortFlag?: string;
  /** Its value is never shown. */
  secret?: boolean;
  /** Not on the command line. */
  environmentOnly?: boolean;
}

type Given = Pick<SettingFacts, 'group' | 'about'> & Partial<SettingFacts>;

export const SETTING_FACTS = z.registry<SettingFacts>();

/** `setTimeout` can't wait longer. */
export const MAX_MS = 2 ** 31 - 1;

export function integer(min: number, max: number, byDefault: number, given: Given) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .prefault(String(byDefault))
    .register(SETTING_FACTS, {
      accepts: `a whole number${given.unit ? ` of ${UNIT_NAMES[given.unit]}` : ''} from ${min} to ${max}`,
      placeholder: given.unit ?? 'number',
      ...given,
      default: String(byDefault),
    });
}

const UNIT_NAMES = { ms: 'milliseconds', s: 'seconds', days: 'days', bytes: 'bytes' } as const;

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  byDefault: NoInfer<Choice>,
  given: Given,
) {
  return z
    .enum(choices)
    .prefault(byDefault)
    .register(SETTING_FACTS, {
      accepts: `one of ${choices.join(', ')}`,
      placeholder: choices.join('|'),
      ...given,
      default: byDefault,
    });
}

export function text(byDefault: string, given: Given, check: (value: string) => boolean = () => true) {
  return z
    .string()
    .min(1)
    .max(1024)
    .refine(check)
    .prefault(byDefault)
    .register(SETTING_FACTS, {
      accepts: 'a text of 1 to 1024 characters',
      placeholder: 'text',
      ...given,
      default: byDefault,
    });
}

/** A setting without a default. */
export function optionalText(check: (value: string) => boolean, given: Given & Pick<SettingFacts, 'accepts'>) {
  return z
    .string()
    .refine(check)
    .optional()
    .register(SETTING_FACTS, { placeholder: 'text', ...given, default: undefined });
}

/** A list with commas between; empty by default. */
export function list(check: (item: string) => boolean, given: Given & Pick<SettingFacts, 'accepts'>) {
  return z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .pipe(z.array(z.string().refine(check)))
    .optional()
    .transform((items) => items ?? [])
    .register(SETTING_FACTS, { placeholder: 'list', ...given, default: undefined });
}
