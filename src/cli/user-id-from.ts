import { InvalidArgumentError } from 'commander';
import { whyNotUserId } from '../shared/ids.js';

/** Checks the id of a user that stands on the command line. */
export function userIdFrom(text: string): string {
  const why = whyNotUserId(text);
  if (why) throw new InvalidArgumentError(why);
  return text;
}
