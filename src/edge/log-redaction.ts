import pino from 'pino';
import { redact } from '../events/redaction.js';

/** A JWT, wherever it stands. */
const JWT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

/** What a line of the log says, without what sounds like a secret. Errors are left to `redactError`. */
export function redactLogged(line: Record<string, unknown>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(line)) {
    shown[key] = value instanceof Error ? value : redactUnder(key, value);
  }
  return shown;
}

/** An error for the log: type, message and stack; its other fields without secrets. */
export function redactError(error: Error): Record<string, unknown> {
  const { type, message, stack, ...fields } = pino.stdSerializers.err(error);
  if (typeof message !== 'string') return redactLogged({ error });
  return { type, message, stack, ...redactLogged(fields) };
}

/** A whole line without tokens: whoever logs a message, or an error that quotes one, has no field that would tell. */
export function withoutTokens(line: string): string {
  return line.replace(JWT, '[redacted]');
}

function redactUnder(key: string, value: unknown): unknown {
  return (redact({ [key]: value }) as Record<string, unknown>)[key];
}
