import type { JsonObject, JsonValue } from '../../../shared/json.js';

const KEY = 'x-mcp-header';
/** RFC 9110 `token`. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TYPES = ['string', 'integer', 'boolean'];
const MAX_DEPTH = 32;

/**
 * Arguments whose schema has `x-mcp-header` are sent as HTTP headers too, for proxies to route by. A tool that declares them
 * wrongly must not be called.
 *
 * @returns what is wrong, if anything
 */
export function whyNotMirrored(inputSchema: JsonObject): string | undefined {
  if (!JSON.stringify(inputSchema).includes(KEY)) return undefined;
  return new HeaderScan().visit(inputSchema, false, 0);
}

class HeaderScan {
  private readonly seen = new Set<string>();

  /** @param isProperty reached over `properties` alone, as declarations must be */
  visit(schema: JsonValue | undefined, isProperty: boolean, depth: number): string | undefined {
    if (typeof schema !== 'object' || schema === null) return undefined;
    if (depth > MAX_DEPTH) return `its schema, which has ${KEY} in it, is nested too deep`;
    if (!Array.isArray(schema) && Object.hasOwn(schema, KEY)) {
      const reason = isProperty ? this.whyNot(schema as JsonObject) : `${KEY} is only allowed on properties`;
      if (reason) return reason;
    }
    for (const [key, value] of Object.entries(schema)) {
      const reason =
        key === 'properties'
          ? this.visitProperties(value, isProperty || depth === 0, depth)
          : this.visit(value, false, depth + 1);
      if (reason) return reason;
    }
    return undefined;
  }

  private visitProperties(properties: JsonValue | undefined, isReachable: boolean, depth: number): string | undefined {
    if (typeof properties !== 'object' || properties === null) return undefined;
    for (const schema of Object.values(properties)) {
      const reason = this.visit(schema, isReachable, depth + 1);
      if (reason) return reason;
    }
    return undefined;
  }

  private whyNot({ [KEY]: name, type }: JsonObject): string | undefined {
    if (typeof name !== 'string' || !HEADER_NAME.test(name)) return `${KEY} must be the name of a header`;
    if (typeof type !== 'string' || !TYPES.includes(type)) return `${KEY} is only allowed on ${TYPES.join(', ')}`;
    if (this.seen.has(name.toLowerCase())) return `${KEY} names one header twice`;
    this.seen.add(name.toLowerCase());
    return undefined;
  }
}
