import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import supertest, { type Response } from 'supertest';
import type { CarrelServer } from '../carrel-server.js';

interface Operation {
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: object;
}

export interface Call {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
  query?: Record<string, string>;
}

/**
 * Talks to a server over real HTTP, and holds every answer to the server's own OpenAPI document: route and status must be
 * there, and the body must be what its schema says, without a property that it does not name.
 */
export class DocumentedClient {
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly schemas = new Map<string, ValidateFunction>();

  private constructor(
    private readonly url: string,
    readonly document: Document,
  ) {
    this.ajv.addSchema(closed(document) as object, 'document');
  }

  static async of(server: CarrelServer): Promise<DocumentedClient> {
    const { body } = await supertest(server.url).get('/docs-json');
    return new DocumentedClient(server.url, body as Document);
  }

  async call(
    method: 'get' | 'post' | 'patch' | 'delete',
    path: string,
    { token, body, headers = {}, query = {} }: Call = {},
  ) {
    let request = supertest(this.url)[method](path).query(query).set(headers);
    if (token) request = request.set('authorization', `Bearer ${token}`);
    const response = await (body === undefined ? request : request.send(body as object));
    this.hold(method, path, response);
    return response;
  }

  private hold(method: string, path: string, response: Response): void {
    const name = `${method.toUpperCase()} ${path} → ${response.status}`;
    const template = Object.keys(this.document.paths).find((candidate) => matches(candidate, path));
    const documented = template && this.document.paths[template]?.[method]?.responses[response.status];
    if (!template || !documented) throw new Error(`${name} is not documented: ${response.text}`);
    const [mediaType] = (response.get('content-type') ?? '').split(';', 1);
    if (!documented.content) {
      expect({ name, text: response.text }).toEqual({ name, text: '' });
      return;
    }
    if (!mediaType || !documented.content[mediaType]) throw new Error(`${name} is not documented as ${mediaType}`);
    if (mediaType === 'text/event-stream') return;
    const pointer = [template, method, 'responses', String(response.status), 'content', mediaType, 'schema'];
    const validate = this.schemaAt(['paths', ...pointer]);
    const errors = validate(response.body) ? [] : validate.errors;
    expect({ name, errors, body: errors?.length ? response.body : 'fits' }).toEqual({ name, errors: [], body: 'fits' });
  }

  private schemaAt(path: string[]): ValidateFunction {
    const pointer = `document#/${path.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const known = this.schemas.get(pointer) ?? this.ajv.compile({ $ref: pointer });
    this.schemas.set(pointer, known);
    return known;
  }
}

function matches(template: string, path: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(path);
}

/** The same document, whose objects have no properties but those that are named. */
export function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, closed(item)]));
  const isOpen =
    'type' in copy && copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}
