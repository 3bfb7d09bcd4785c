import { CarrelError } from '../shared/errors.js';
import { ENV_SCHEMA } from './env.schema.js';
import type { SettingOverrides } from './load-config.js';

/**
 * The database alone, for what needs nothing else of the distributed profile.
 *
 * @throws CarrelError `invalid_config`
 */
export function loadDatabaseUrl(env: NodeJS.ProcessEnv = process.env, overrides: SettingOverrides = {}): string {
  const text = overrides.DATABASE_URL ?? env.DATABASE_URL;
  if (!text) {
    const why =
      'DATABASE_URL is not set: set it, or --database-url, such as postgresql://user:password@host:5432/carrel';
    throw new CarrelError('invalid_config', why);
  }
  const { data } = ENV_SCHEMA.shape.DATABASE_URL.safeParse(text);
  if (data) return data;
  const why = 'DATABASE_URL is not usable: it must be like postgresql://user:password@host:5432/carrel';
  throw new CarrelError('invalid_config', why);
}
