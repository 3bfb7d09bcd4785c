const PREFIX = 'CARREL_SECRET_';

/** What `${secret.NAME}` stands for in the files of the configuration: the variable `CARREL_SECRET_NAME`. */
export type Secrets = Readonly<Record<string, string>>;

/** True for a variable that is a secret and no setting. */
export function isSecretVariable(name: string): boolean {
  return name.startsWith(PREFIX) && name.length > PREFIX.length;
}

/** All secrets of the environment, by name; empty ones count as not set. */
export function secretsFrom(env: NodeJS.ProcessEnv): Secrets {
  const found = Object.entries(env).filter(([name, value]) => isSecretVariable(name) && value);
  return Object.fromEntries(found.map(([name, value]) => [name.slice(PREFIX.length), value as string]));
}

/**
 * A text with its secrets filled in; other placeholders stay.
 *
 * @param onMissing is told the name of a secret that is not set
 */
export function withSecrets(text: string, secrets: Secrets, onMissing: (name: string) => void): string {
  return text.replaceAll(/\$\{secret\.([A-Za-z0-9_]+)\}/g, (placeholder, name: string) => {
    const value = secrets[name];
    if (value === undefined) onMissing(name);
    return value ?? placeholder;
  });
}
