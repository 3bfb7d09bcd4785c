import pino from 'pino';
import { redact } from '../events/redaction.js';

/** A JWT, wherever it stands in a text. */
const JWT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

/** What a line of the log says, without what sounds like a secret. Errors are left to `redactError`. */
export function redactLogged(line: Record<string, unknown>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(line)) {
    shown[key] = value instanceof Error ? value : withoutTokens(redactUnder(key, value));
  }
  return shown;
}

/** An error for the log: type, message and stack; its other fields without secrets. */
export function redactError(error: Error): Record<string, unknown> {
  const { type, message, stack, ...fields } = pino.stdSerializers.err(error);
  if (typeof message !== 'string') return redactLogged({ error });
  return { type, message: withoutTokens(message), stack: withoutTokens(stack), ...redactLogged(fields) };
}

function redactUnder(key: string, value: unknown): unknown {
  return (redact({ [key]: value }) as Record<string, unknown>)[key];
}

function withoutTokens(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(JWT, '[redacted]') : value;
}
