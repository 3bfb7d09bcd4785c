import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { JsonObject } from '../../shared/json.js';
import { compileSchema, type SchemaCheck } from '../json-schema.js';

/** What a tool's schema may be at most. */
const BOUNDS = { maxBytes: 64 * 1024, maxDepth: 32 };
const MAX_SCHEMAS = 1_000;

/**
 * Compiles the schemas of tools. What is kept is kept by the schema's text alone and has nothing of a user's: two users with
 * the same schema have the same check.
 */
@Injectable()
export class ToolSchemas {
  private readonly byText = new LRUCache<string, { check: SchemaCheck | string }>({ max: MAX_SCHEMAS });
  private readonly bySchema = new WeakMap<JsonObject, { check: SchemaCheck | string }>();

  /** @returns the schema's check, or a sentence that says why nothing can be checked by it */
  checkOf(schema: JsonObject): SchemaCheck | string {
    const known = this.bySchema.get(schema);
    if (known) return known.check;
    const key = textKey(schema);
    const compiled = (key && this.byText.get(key)) || { check: compileSchema(schema, BOUNDS, { isTrusted: false }) };
    if (key) this.byText.set(key, compiled);
    this.bySchema.set(schema, compiled);
    return compiled.check;
  }
}

/** Undefined for what can't be written as JSON, and so is no schema. */
function textKey(schema: JsonObject): string | undefined {
  try {
    return createHash('sha256').update(JSON.stringify(schema)).digest('base64');
  } catch {
    return undefined;
  }
}
