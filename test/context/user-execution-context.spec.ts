import { MAX_CONTEXT_DEPTH, UserExecutionContext } from '../../src/context/user-execution-context.js';
import { newId, type UserId } from '../../src/shared/ids.js';

function contextOf(userId: string, metadata = {}): UserExecutionContext {
  return new UserExecutionContext({
    userId: userId as UserId,
    requestId: newId('req'),
    roles: ['reader'],
    runId: newId('run'),
    threadId: newId('thr'),
    attempt: 1,
    createdAtMs: 1_700_000_000_000,
    deadlineMs: 1_700_000_300_000,
    metadata,
    audit: { clientIp: '127.0.0.1' },
  });
}

describe('UserExecutionContext', () => {
  it('can be changed nowhere, however deep', () => {
    const context = contextOf('alice', { a: { b: [{ c: 1 }] } });
    const writes: (() => void)[] = [
      () => Object.assign(context, { userId: 'bob' }),
      () => Object.assign(context.metadata, { x: 1 }),
      () => Object.assign((context.metadata.a as unknown as { b: object[] }).b[0]!, { c: 2 }),
      () => (context.metadata.a as unknown as { b: number[] }).b.push(2),
      () => (context.roles as string[]).push('admin'),
      () => Object.assign(context.audit, { clientIp: '10.0.0.1' }),
      () => (context.operations as string[]).push('x'),
      () => Object.defineProperty(context, 'userId', { value: 'bob' }),
      () => Object.setPrototypeOf(context, {}),
    ];
    for (const write of writes) expect(write).toThrow();
    context.createdAt.setFullYear(1999);
    context.deadline?.setFullYear(1999);
    expect(context.createdAt.getTime()).toBe(1_700_000_000_000);
    expect(context.deadline?.getTime()).toBe(1_700_000_300_000);
  });

  it('holds on to nothing of its maker: what was passed in can change without the context', () => {
    const metadata = { list: [1] };
    const roles = ['reader'];
    const context = new UserExecutionContext({
      userId: 'alice' as UserId,
      requestId: newId('req'),
      createdAtMs: 0,
      metadata,
      roles,
    });
    metadata.list.push(2);
    roles.push('admin');
    expect(context.metadata).toEqual({ list: [1] });
    expect(context.roles).toEqual(['reader']);
    expect(Object.isFrozen(metadata)).toBe(false);
  });

  it("keeps alice's values from bob when both were made of the same object", () => {
    const shared = { note: 'same' };
    const [alice, bob] = [contextOf('alice', shared), contextOf('bob', shared)];
    expect(alice.metadata).not.toBe(bob.metadata);
    expect(alice.userId).toBe('alice');
    expect(bob.userId).toBe('bob');
    expect(alice.runId).not.toBe(bob.runId);
  });

  it('has children of the same user and run, one deeper, that leave it as it was', () => {
    const parent = contextOf('alice', { a: 1 });
    const child = parent.child('fetch').child('parse');
    expect(child).toMatchObject({
      userId: 'alice',
      runId: parent.runId,
      threadId: parent.threadId,
      depth: 2,
      attempt: 1,
    });
    expect(child.operations).toEqual(['fetch', 'parse']);
    expect(child.metadata).toEqual({ a: 1 });
    expect(parent.depth).toBe(0);
  });

  it('names the parent run in the context of a run that it starts', () => {
    const parent = contextOf('alice');
    const child = parent.child('spawn', { runId: newId('run') });
    expect(child.parentRunId).toBe(parent.runId);
    expect(child.runId).not.toBe(parent.runId);
  });

  it('is as deep, and has the same parent, in every attempt', () => {
    const child = contextOf('alice').child('spawn', { runId: newId('run') });
    const attempt = child.forAttempt(2, new AbortController().signal);
    expect(attempt).toMatchObject({ depth: 1, operations: ['spawn'], parentRunId: child.parentRunId, attempt: 2 });
    expect(attempt.child('fetch').depth).toBe(2);
  });

  it("has a signal of its own, which alice's and bob's contexts do not share", () => {
    expect(contextOf('alice').signal).not.toBe(contextOf('bob').signal);
    expect(contextOf('alice').signal.aborted).toBe(false);
  });

  it(`nests ${MAX_CONTEXT_DEPTH} deep and not deeper`, () => {
    let context = contextOf('alice');
    for (let depth = 1; depth <= MAX_CONTEXT_DEPTH; depth++) context = context.child(`level-${depth}`);
    expect(context.depth).toBe(MAX_CONTEXT_DEPTH);
    expect(() => context.child('too-deep')).toThrow(/nest at most 10 deep/);
  });

  it('shows no metadata values and no signal when it is written as JSON', () => {
    const json = JSON.stringify(contextOf('alice', { apiKey: 'very-secret' }));
    expect(json).not.toContain('very-secret');
    expect(JSON.parse(json)).toMatchObject({ userId: 'alice', metadataKeys: ['apiKey'], depth: 0, attempt: 1 });
    expect(JSON.parse(json)).not.toHaveProperty('signal');
  });
});
