import { validate } from '@readme/openapi-parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import supertest from 'supertest';
import { RouteMethods } from '../../src/edge/route-methods.service.js';
import { ERRORS } from '../../src/shared/errors.js';
import { CarrelServer } from '../carrel-server.js';

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security?: object[];
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, { oneOf?: { $ref: string }[]; discriminator?: { mapping: Record<string, string> } }>;
  };
}

let server: CarrelServer;
let document: Document;

beforeAll(async () => {
  server = await CarrelServer.start({ env: { CARREL_ACCEPT_SHARED_STATE: 'true' } }); // every door that there can be
  document = (await supertest(server.url).get('/docs-json')).body as Document;
});
afterAll(() => server.close());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    const copy = structuredClone(document) as unknown as Parameters<typeof validate>[0];
    expect(await validate(copy)).toMatchObject({ valid: true, warnings: [] });
  });

  it('has every route of the server, and no other', () => {
    const { routes } = server.app.get(RouteMethods) as unknown as { routes: Map<string, { methods: Set<string> }> };
    const served = [...routes]
      .filter(([url]) => !url.startsWith('/docs') && url !== '/asyncapi.json' && !url.startsWith('/console'))
      .flatMap(([url, { methods }]) => [...methods].map((method) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`))
      .filter((name) => !name.startsWith('HEAD '));
    expect(
      operations()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(served.toSorted());
  });

  it('says of every route what it is for, what it answers, what goes wrong and who may ask', () => {
    for (const { name, operation } of operations()) {
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/\S/)]);
      expect([name, operation.tags.length]).toEqual([name, 1]);
      const isOpen = /^GET \/(health|ready|info)$/.test(name);
      expect([name, operation.security ?? []]).toEqual([name, isOpen ? [] : [{ bearer: [] }]]);
      const statuses = Object.keys(operation.responses);
      expect([name, statuses]).toEqual([name, expect.arrayContaining(isOpen ? ['200', '500'] : ['401', '500', '503'])]);
      expect([name, statuses.some((status) => status.startsWith('2'))]).toEqual([name, true]);
    }
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has an example of every answer, and each fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'document');
    for (const { name, operation } of operations()) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        for (const [type, { schema, example, examples }] of Object.entries(content)) {
          const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
          const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
          for (const value of values) {
            const where = `${name} ${status} ${type}`;
            expect([where, value === undefined, check(value) ? [] : check.errors]).toEqual([where, false, []]);
          }
        }
      }
    }
  });

  it('knows every code and every type of event', () => {
    const { Problem, RunEvent } = document.components.schemas;
    expect(Problem).toHaveProperty('properties.code.enum', Object.keys(ERRORS));
    const types = Object.keys(RunEvent?.discriminator?.mapping ?? {});
    expect(types).toHaveLength(RunEvent?.oneOf?.length ?? 0);
    expect(types).toEqual(
      expect.arrayContaining(['agent_queued', 'agent_started', 'agent_completed', 'agent_cancelled']),
    );
  });
});

describe('/docs', () => {
  it('is a page whose policy lets in what it loads, from this server alone', async () => {
    const page = await supertest(server.url).get('/docs');
    expect(page.status).toBe(200);
    const policy = page.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, url]) => url!);
    expect(loaded.length).toBeGreaterThan(3);
    for (const url of loaded) {
      expect(url).toMatch(/^\.\/docs\//);
      expect([url, (await supertest(server.url).get(`/docs/${url}`.replace('/docs/./', '/'))).status]).toEqual([
        url,
        200,
      ]);
    }
    expect(page.text).not.toMatch(/<script>/);
  });

  it('says what each code means, where the type of a problem leads', async () => {
    const { body } = await supertest(server.url).get('/v1/runs');
    const [path, code] = (body as { type: string }).type.split('#');
    const page = await supertest(server.url).get(path!);
    expect(page.status).toBe(200);
    expect(page.text).toContain(`id="${code}"`);
  });
});
