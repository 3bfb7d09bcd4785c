import type { ApprovalRecord } from '../../src/events/approval-record.js';
import { approvalHash, type AskedFacts } from '../../src/execution/approval-hash.js';
import { readResponse, type ApprovalResponse } from '../../src/execution/approval-response.js';
import { whyNotAnswerSchema } from '../../src/execution/approval-schema.js';
import { newId } from '../../src/shared/ids.js';
import type { JsonObject } from '../../src/shared/json.js';

const BOUNDS = { maxBytes: 200, maxDepth: 4 };

function asked(kind: ApprovalRecord['kind'], schema?: JsonObject): ApprovalRecord {
  return { kind, schema } as ApprovalRecord;
}

function issuesWith(approval: ApprovalRecord, response: ApprovalResponse): string[] {
  try {
    readResponse(approval, response, BOUNDS);
    return [];
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_answer' });
    const { details } = error as { details: { issues: { path: string; message: string }[] } };
    return details.issues.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('an answer to a question', () => {
  it.each([
    ['approval', 'approve', 'approved'],
    ['approval', 'reject', 'rejected'],
    ['question', 'decline', 'declined'],
  ] as const)('to an %s of "%s" is "%s"', (kind, word, decision) => {
    expect(readResponse(asked(kind), { decision: word }, BOUNDS)).toEqual({ decision });
  });

  it('to a question carries what is answered, null and false too', () => {
    for (const answer of [{ a: [1] }, null, false, '']) {
      expect(readResponse(asked('question'), { decision: 'answer', answer }, BOUNDS)).toEqual({
        decision: 'answered',
        answer,
      });
    }
  });

  it.each([
    ['approval', 'answer', 'decision an approval takes approve or reject'],
    ['approval', 'decline', 'decision an approval takes approve or reject'],
    ['question', 'approve', 'decision a question takes answer or decline'],
    ['question', 'reject', 'decision a question takes answer or decline'],
    ['question', 'constructor', 'decision a question takes answer or decline'],
    ['question', 'answer', 'answer is missing'],
  ] as const)('to an %s of "%s" is refused', (kind, decision, issue) => {
    expect(issuesWith(asked(kind), { decision: decision as ApprovalResponse['decision'] })).toEqual([issue]);
  });

  it('names the place where it does not fit the schema', () => {
    const schema = {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'number' } } } } },
      additionalProperties: false,
    };
    const question = asked('question', schema);
    const answer = { list: [{}, { 'a/b': 'x' }] };
    expect(issuesWith(question, { decision: 'answer', answer })).toEqual(['answer.list[1].a/b must be number']);
    expect(issuesWith(question, { decision: 'answer', answer: { other: 1 } })).toEqual([
      'answer must NOT have additional properties: "other"',
    ]);
    expect(issuesWith(question, { decision: 'answer', answer: { list: [{ 'a/b': 1 }] } })).toEqual([]);
  });

  it('is needed for an approval only when the schema insists on something', () => {
    const amount = { type: 'object', properties: { amount: { type: 'number' } } };
    const insisting = { ...amount, required: ['amount'] };
    expect(issuesWith(asked('approval', amount), { decision: 'approve' })).toEqual([]);
    expect(issuesWith(asked('approval', insisting), { decision: 'approve' })).toEqual([
      'answer is missing',
      "answer must have required property 'amount'",
    ]);
    expect(issuesWith(asked('approval', insisting), { decision: 'approve', answer: { amount: 1 } })).toEqual([]);
    expect(issuesWith(asked('approval', insisting), { decision: 'reject' })).toEqual([]);
    expect(issuesWith(asked('approval', amount), { decision: 'approve', answer: { amount: 'x' } })).toEqual([
      'answer.amount must be number',
    ]);
  });

  it('is not taken from whoever declines, nor when it is too long, too deep or no plain data', () => {
    const answerTo = (answer: unknown) => issuesWith(asked('question'), { decision: 'answer', answer });
    expect(issuesWith(asked('question'), { decision: 'decline', answer: 1 })).toHaveLength(1);
    expect(answerTo('x'.repeat(300))).toHaveLength(1);
    expect(answerTo([[[[[1]]]]])).toHaveLength(1);
    expect(answerTo(JSON.parse('{"__proto__":1}'))).toHaveLength(1);
    expect(answerTo(new Date(0))).toHaveLength(1);
  });
});

describe('the schema of an answer', () => {
  it('may be written in either dialect that is in use', () => {
    for (const $schema of ['https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#']) {
      expect(whyNotAnswerSchema({ $schema, type: 'object' })).toBeUndefined();
      expect(issuesWith(asked('question', { $schema, type: 'string' }), { decision: 'answer', answer: 1 })).toEqual([
        'answer must be string',
      ]);
    }
  });

  it('may have words that mean nothing to the check', () => {
    expect(whyNotAnswerSchema({ type: 'string', format: 'colour', 'x-widget': 'picker' })).toBeUndefined();
  });

  it('keeps alice out of what bob has called by the same name', () => {
    const $id = 'https://example.org/answer';
    const hers = asked('question', { $id, type: 'string' });
    const his = asked('question', { $id, type: 'number' });
    for (const approval of [hers, his]) expect(whyNotAnswerSchema(approval.schema)).toBeUndefined();
    expect(issuesWith(hers, { decision: 'answer', answer: 'x' })).toEqual([]);
    expect(issuesWith(his, { decision: 'answer', answer: 1 })).toEqual([]);
  });

  it('has a pattern that takes for ever: it does not', () => {
    const question = asked('question', { type: 'string', pattern: '^(a+)+$' });
    const startMs = performance.now();
    expect(issuesWith(question, { decision: 'answer', answer: `${'a'.repeat(30)}!` })).toHaveLength(1);
    expect(performance.now() - startMs).toBeLessThan(3_000);
    expect(issuesWith(question, { decision: 'answer', answer: 'aaa' })).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['no object', 'string'],
    ['a list', []],
    ['of a type that there is not', { type: 'strin' }],
    ['of another dialect', { $schema: 'https://example.org/schema', type: 'string' }],
    ['with a pattern that is none', { type: 'string', pattern: '(' }],
    ['that refers to what is elsewhere', { $ref: 'https://example.org/other' }],
    ['asynchronous', { $async: true, type: 'string' }],
    ['asynchronous inside', { properties: { a: { $async: true, type: 'string' } } }],
    ['too long', { enum: ['x'.repeat(20_000)] }],
    ['no plain data', { const: new Date(0) }],
  ])('is refused when it is %s', (_, schema) => {
    expect(whyNotAnswerSchema(schema)).toEqual(expect.any(String));
  });
});

describe('the hash of what is asked', () => {
  const facts: AskedFacts = {
    runId: newId('run'),
    step: '1:ask',
    kind: 'approval',
    title: 'Pay?',
    details: { amount: 5, to: 'bob' },
    schema: { type: 'object' },
    approvers: ['manager'],
  };

  it('does not depend on the order of keys', () => {
    const same = Object.fromEntries(Object.entries(facts).toReversed()) as unknown as AskedFacts;
    expect(approvalHash({ ...same, details: { to: 'bob', amount: 5 } })).toBe(approvalHash(facts));
  });

  it('depends on everything that is asked', () => {
    const others: Partial<AskedFacts>[] = [
      { runId: newId('run') },
      { step: '2:ask' },
      { kind: 'question' },
      { title: 'Pay!' },
      { details: { amount: 6, to: 'bob' } },
      { details: undefined },
      { schema: undefined },
      { approvers: [] },
    ];
    const hashes = others.map((other) => approvalHash({ ...facts, ...other }));
    expect(new Set([...hashes, approvalHash(facts)]).size).toBe(others.length + 1);
  });
});
