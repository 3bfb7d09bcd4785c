import type { McpServerConfig } from '../../config/mcp-config.js';
import type { UserExecutionContext } from '../../context/user-execution-context.js';

/** What is shorter is everywhere. */
const MIN_LENGTH = 4;

/** Takes out of a text for the log what a server was told and must not be there, even if the server says it: secrets and claims. */
export function blackOutFor({ claims }: UserExecutionContext, server: McpServerConfig): (text: string) => string {
  const told = [...server.secrets, ...server.claims.map((name) => (Object.hasOwn(claims, name) ? claims[name]! : ''))];
  const hidden = told.filter(({ length }) => length >= MIN_LENGTH).toSorted((a, b) => b.length - a.length);
  return (text) => hidden.reduce((left, value) => left.replaceAll(value, '[redacted]'), text);
}
