import type { ApiBodyOptions } from '@nestjs/swagger';
import { SHARED_STATE_FIELDS } from '../shared-state-fields.js';
import { EXAMPLE_THREAD_ID } from './examples.js';

const FIELDS = [...SHARED_STATE_FIELDS]
  .filter(([, { to }]) => to !== 'refused')
  .map(([name, { to, about }]) => [name, { description: `${to}: ${about}.` }]);

/** The body of `POST /v1/legacy/execute`, from the table of its fields. */
export const SHARED_STATE_BODY: ApiBodyOptions = {
  required: true,
  schema: {
    type: 'object',
    required: ['state'],
    additionalProperties: false,
    properties: {
      agent_name: { type: 'string', description: 'Name of the agent; `agent` means the same.' },
      agent: { type: 'string', description: 'The other name of `agent_name`.' },
      state: {
        type: 'object',
        description: 'A field that is `null` counts as not given. `user_request` or `agent_input` must be given.',
        additionalProperties: false,
        properties: Object.fromEntries(FIELDS) as Record<string, { description: string }>,
      },
    },
    example: {
      agent_name: 'summarise',
      state: { user_request: 'A long text …', chat_thread_id: EXAMPLE_THREAD_ID, run_id: 'run_1', metadata: {} },
    },
  },
};
