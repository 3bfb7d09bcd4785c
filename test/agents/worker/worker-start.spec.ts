import { fieldsOf } from '../../../src/agents/worker/worker-start.js';
import { UserExecutionContext } from '../../../src/context/user-execution-context.js';
import { newId, type UserId } from '../../../src/shared/ids.js';

it('takes everything of a context but its signal to the worker', () => {
  const context = new UserExecutionContext({
    userId: 'alice' as UserId,
    requestId: newId('req'),
    roles: ['reader'],
    threadId: newId('thr'),
    runId: newId('run'),
    parentRunId: newId('run'),
    operations: ['outer', 'inner'],
    attempt: 3,
    createdAtMs: 1_000,
    deadlineMs: 2_000,
    metadata: { purpose: { deep: [1] } },
    audit: { clientIp: '192.0.2.1', traceId: 'abc' },
  });
  const copy = new UserExecutionContext(structuredClone(fieldsOf(context)));
  expect(fieldsOf(copy)).toEqual(fieldsOf(context));
  expect(copy.toJSON()).toEqual(context.toJSON());
  expect(Object.keys(copy)).toEqual(Object.keys(context));
  expect(copy.metadata).toEqual({ purpose: { deep: [1] } });
});
