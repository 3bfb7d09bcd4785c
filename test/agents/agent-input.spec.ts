import { Type } from 'class-transformer';
import { IsInt, IsNotEmpty, IsOptional, IsString, Max, Min, MinLength, ValidateNested } from 'class-validator';
import { z } from 'zod';
import { inputReader } from '../../src/agents/agent-input.js';
import type { InputReader } from '../../src/agents/input-reader.js';
import { Agent } from '../../src/agents/agent.decorator.js';
import type { AgentInput } from '../../src/agents/agent-provider.js';
import type { CarrelError } from '../../src/shared/errors.js';
import { AgentHost } from './agent-host.js';

class Tag {
  @IsString()
  @IsNotEmpty()
  label!: string;
}

class Section {
  @IsString()
  @MinLength(1)
  title!: string;

  @ValidateNested({ each: true })
  @Type(() => Tag)
  tags!: Tag[];
}

class Article {
  @IsString()
  text!: string;

  @IsInt()
  @Min(1)
  @Max(20)
  @IsOptional()
  sentences?: number;

  @ValidateNested()
  @Type(() => Section)
  lead!: Section;

  @ValidateNested({ each: true })
  @Type(() => Section)
  sections!: Section[];
}

const GOOD = {
  text: 'a',
  lead: { title: 'L', tags: [] },
  sections: [{ title: 'One', tags: [{ label: 'x' }] }],
};

const articleSchema = z.strictObject({
  text: z.string(),
  sentences: z.int().min(1).max(20).default(5),
  sections: z.array(z.strictObject({ title: z.string(), tags: z.array(z.strictObject({ label: z.string().min(1) })) })),
});

/** A Standard Schema of nobody's library: asynchronous, transforming, and a function as arktype's are. */
const evenSchema = Object.assign(() => undefined, {
  '~standard': {
    version: 1 as const,
    vendor: 'by-hand',
    validate: async (value: unknown) => {
      await Promise.resolve();
      return typeof value === 'number' && value % 2 === 0
        ? { value: { half: value / 2 } }
        : { issues: [{ message: 'must be even', path: ['pair', { key: 1 }, { key: 'n' }] }] };
    },
  },
});

function reader(declared: AgentInput): InputReader {
  const result = inputReader(declared);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

async function pathsRefused(declared: AgentInput, input: unknown): Promise<string[]> {
  const check = await reader(declared).check(input);
  return 'issues' in check ? check.issues.map(({ path }) => path) : [];
}

describe('an input declared by a DTO class', () => {
  it('is given to the agent as instances, and stays as it was', async () => {
    const before = structuredClone(GOOD);
    const check = await reader(Article).check(GOOD);
    expect(check).toEqual({ value: expect.any(Article) });
    const { value } = check as { value: Article };
    expect(value.sections[0]?.tags[0]).toBeInstanceOf(Tag);
    expect(GOOD).toEqual(before);
    expect(GOOD.lead).not.toBeInstanceOf(Section);
  });

  it.each([
    ['a missing property', { ...GOOD, text: undefined }, ['text']],
    ['an undeclared property', { ...GOOD, extra: 1 }, ['extra']],
    [
      'a nested mistake',
      { ...GOOD, sections: [GOOD.lead, { title: 'x', tags: [{ label: 'y' }, { label: '' }] }] },
      ['sections[1].tags[1].label'],
    ],
    ['an undeclared nested property', { ...GOOD, lead: { ...GOOD.lead, admin: true } }, ['lead.admin']],
    ['a value in place of an object', { ...GOOD, lead: 'text' }, ['lead']],
    ['a text', 'hello', ['']],
    ['null', null, ['']],
    ['a list of good inputs', [GOOD], ['']],
  ])('is refused for %s, with the path', async (_what, input, paths) => {
    expect(await pathsRefused(Article, JSON.parse(JSON.stringify(input)))).toEqual(paths);
  });

  it('can not reach a prototype', async () => {
    const evil: unknown = JSON.parse(
      '{"text":"a","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"lead":{"__proto__":{"polluted":1}}}',
    );
    const check = await reader(Article).check(evil);
    expect('issues' in check).toBe(true);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect((Article.prototype as { polluted?: number }).polluted).toBeUndefined();
    expect((Section.prototype as { polluted?: number }).polluted).toBeUndefined();
  });

  it('has a JSON Schema with its nested classes', () => {
    const schema = reader(Article).jsonSchema;
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: expect.arrayContaining(['text', 'lead', 'sections']),
      properties: {
        text: { type: 'string' },
        sentences: { type: 'integer', minimum: 1, maximum: 20 },
        lead: { $ref: '#/$defs/Section' },
        sections: { type: 'array', items: { $ref: '#/$defs/Section' } },
      },
      $defs: {
        Section: {
          properties: { title: { minLength: 1 }, tags: { type: 'array', items: { $ref: '#/$defs/Tag' } } },
          additionalProperties: false,
        },
        Tag: { required: ['label'], properties: { label: { type: 'string', minLength: 1 } } },
      },
    });
    expect((schema.required as string[]).includes('sentences')).toBe(false);
  });

  it('has a JSON Schema when the class contains itself, or two classes have one name', () => {
    class Node {
      @IsString()
      name!: string;
      @ValidateNested({ each: true })
      @Type(() => Node)
      children!: Node[];
    }
    class OtherTag {
      n!: number;
    }
    Object.defineProperty(OtherTag, 'name', { value: Tag.name });
    IsInt()(OtherTag.prototype, 'n');
    class Both {
      @ValidateNested() @Type(() => Tag) a!: object;
      @ValidateNested() @Type(() => OtherTag) b!: object;
    }
    expect(reader(Node).jsonSchema).toMatchObject({
      properties: { children: { items: { $ref: '#/$defs/Node' } } },
      $defs: { Node: { properties: { children: { items: { $ref: '#/$defs/Node' } } } } },
    });
    const both = reader(Both).jsonSchema as { properties: Record<string, { $ref: string }>; $defs: object };
    expect(both.properties.a?.$ref).not.toEqual(both.properties.b?.$ref);
    expect(Object.keys(both.$defs)).toHaveLength(2);
  });
});

describe('an input declared by a Standard Schema', () => {
  it('gives the agent what the schema makes of it', async () => {
    expect(await reader(articleSchema).check({ text: 'a', sections: [] })).toEqual({
      value: { text: 'a', sentences: 5, sections: [] },
    });
    expect(await reader(evenSchema as AgentInput).check(4)).toEqual({ value: { half: 2 } });
  });

  it('is refused with the path, whether the schema is synchronous or not', async () => {
    expect(await pathsRefused(articleSchema, { text: 'a', sections: [{ title: 'x', tags: [{ label: '' }] }] })).toEqual(
      ['sections[0].tags[0].label'],
    );
    expect(await pathsRefused(evenSchema as AgentInput, 3)).toEqual(['pair[1].n']);
  });

  it('has the JSON Schema of what a client sends', () => {
    expect(reader(articleSchema).jsonSchema).toMatchObject({
      type: 'object',
      required: ['text', 'sections'],
      properties: { sentences: { type: 'integer', default: 5 } },
    });
  });

  it('has an open JSON Schema with a note when the schema offers none, or can not be expressed so', () => {
    expect(reader(evenSchema as AgentInput).jsonSchema).toEqual({
      description: 'Checked by by-hand, which offers no JSON Schema',
    });
    expect(reader(z.object({ day: z.date() })).jsonSchema).toEqual({
      description: "Checked by zod; JSON Schema can't express it",
    });
  });
});

describe('an agent', () => {
  it('refuses bad input with the first twenty issues, each cut', async () => {
    @Agent({ name: 'strict', description: 'Takes nothing much', input: Article })
    class StrictAgent {
      run() {
        return 1;
      }
    }
    await using host = await AgentHost.boot({ module: class StrictModule {}, providers: [StrictAgent] });
    const definition = host.registry.get('strict');
    const bad = {
      ...GOOD,
      ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${'k'.repeat(1_000)}${i}`, i])),
    };
    const error = (await definition.validate(bad).catch((reason: unknown) => reason)) as CarrelError;
    expect(error.code).toBe('invalid_input');
    expect(error.message).toContain('The input does not fit the agent "strict"');
    expect(error.message).toContain('(and 49 more)');
    expect(error.details?.issues).toHaveLength(20);
    expect(JSON.stringify(error.details).length).toBeLessThan(20_000);
    await expect(definition.validate(GOOD)).resolves.toBeInstanceOf(Article);
  });
});
