import { InvalidArgumentError } from 'commander';
import { isRole } from '../edge/token-claims.js';

/** One more `--role`. */
export function rolesFrom(text: string, before: string[]): string[] {
  if (!isRole(text)) throw new InvalidArgumentError('a role has 1 to 128 visible characters, without blanks');
  return [...before, text];
}
