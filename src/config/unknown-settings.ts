import { closest, distance } from 'fastest-levenshtein';
import { SETTINGS } from './env.schema.js';
import { isSecretVariable } from './secrets.js';

/**
 * Kubernetes puts such variables into every pod when a service is called "carrel" (`CARREL_SERVICE_HOST`,
 * `CARREL_PORT_3000_TCP_ADDR`, …); they are nobody's typo.
 */
const SERVICE_LINK =
  /^CARREL(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/** One line for every variable that looks like a setting but is none. */
export function problemsWithUnknownNames(env: NodeJS.ProcessEnv): string[] {
  const known: readonly string[] = SETTINGS.map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => name.startsWith('CARREL_') && !known.includes(name) && !isSecretVariable(name))
    .filter((name) => !isServiceLink(name, env[name]))
    .map((name) => `${name} is not a setting${suggestion(name, known)}`);
}

function isServiceLink(name: string, value = ''): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && SERVICE_LINK_VALUE.test(value));
}

function suggestion(name: string, known: readonly string[]): string {
  const bare = name.replace(/^CARREL_/, '');
  const nearest = known.includes(bare) ? bare : closest(name, known);
  const isNear = nearest === bare || distance(name, nearest) <= name.length / 3;
  return isNear ? `: did you mean ${nearest}?` : '; `carrel start --help` lists them all';
}
