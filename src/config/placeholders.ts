import { withSecrets, type Secrets } from './secrets.js';

const PLACEHOLDER = /\$\{([^{}]*)\}/g;
/** Claims may be named by URIs. */
const CLAIM = /^user\.claims\.([^\s{}]{1,128})$/;
const SECRET = /^secret\.[A-Za-z0-9_]+$/;

export interface FilledText {
  /** With its secrets; the placeholders for the user are still there. */
  readonly text: string;
  /** Names of the claims that it asks for. */
  readonly claims: readonly string[];
  /** The secrets that are in it now. */
  readonly secrets: readonly string[];
  /** Ends of the sentence "args[0] …". */
  readonly problems: readonly string[];
}

/** Fills in a text's secrets, and checks the placeholders for the user, which are filled in when there is one. */
export function fillIn(text: string, secrets: Secrets, allowed: { folder: boolean }): FilledText {
  const names = [...text.matchAll(PLACEHOLDER)].map(([, name]) => name!);
  const claims = names.flatMap((name) => CLAIM.exec(name)?.[1] ?? []);
  const problems = names.flatMap((name) => whyNotPlaceholder(name, allowed) ?? []);
  if (text.replaceAll(PLACEHOLDER, '').includes('${')) problems.push('has a "${" without its "}"');
  const filled = withSecrets(text, secrets, (name) =>
    problems.push(`asks for \${secret.${name}}: set the variable CARREL_SECRET_${name}`),
  );
  const used = names.flatMap((name) => (SECRET.test(name) ? (secrets[name.slice('secret.'.length)] ?? []) : []));
  return { text: filled, claims, secrets: used, problems };
}

/** True for a text in which something is to be filled in. */
export function hasPlaceholder(text: string): boolean {
  return text.includes('${');
}

function whyNotPlaceholder(name: string, { folder }: { folder: boolean }): string | undefined {
  if (SECRET.test(name) || name === 'user.id' || CLAIM.test(name)) return undefined;
  if (name === 'user.folder') {
    return folder ? undefined : 'asks for ${user.folder}, which only a server that is a process has';
  }
  const there = `\${secret.NAME}, \${user.id}, \${user.claims.NAME}${folder ? ' and ${user.folder}' : ''}`;
  return `asks for \${${name}}, which there is not; there are ${there}`;
}
